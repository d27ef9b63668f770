"""What stand-ins of upstreams are made of: scripts, delivery of answers, a record of requests.

What an upstream publishes, and in which form, is the work of the packages that play one.
"""
