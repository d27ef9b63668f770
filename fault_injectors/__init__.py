"""Faults, one per file, and what carries them out on the traffic of links."""
