"""Resilience layers with one planted defect each, to prove that a harness finds it.

Each module has a `create_stack` with the signature of `resilience.create_stack`, and is chosen
by `ATLAS_RESILIENCE=shadow_atlas.planted.<module>:create_stack`. Never use one for anything else.
A breaker that is handed in is used as it is: the defects of breakers are those of new ones.
"""
