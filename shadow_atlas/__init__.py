"""Shadow Atlas: political districts for a coordinate, and the services that gather them.

The package holds the services under test and their upstream stand-ins. It protects every
call to an upstream with a stack from `resilience`, and knows nothing of any test harness.
"""
