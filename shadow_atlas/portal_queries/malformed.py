"""Name the one failure of a portal that no repetition mends."""


class MalformedAnswer(Exception):
    """A complete answer that is not the GeoJSON that was asked for.

    Permanent: a portal that publishes broken data publishes it again when asked again. It
    still counts against the portal's circuit breaker, for the portal is what is broken.
    """
