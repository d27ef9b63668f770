"""Layers and services with one planted defect each, to prove that a harness finds it.

Most modules have a `create_stack` with the signature of `resilience.create_stack`, and are chosen
by `ATLAS_RESILIENCE=shadow_atlas.planted.<module>:create_stack`; one has a `create_app` and is
chosen by `ATLAS_APP`. Never use one for anything else.
A breaker that is handed in is used as it is: the defects of breakers are those of new ones.
"""
