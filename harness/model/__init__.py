"""Frozen values that every part of the harness shares; no I/O."""
