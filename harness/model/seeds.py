"""Derive every random choice of a run from its seed, one named stream for each part."""

import hashlib
from random import Random


def derive_seed(seed: int, *names: str) -> int:
    """Return the 64-bit seed of the stream `names` of a run.

    Streams are independent of each other, so adding a fault moves no arrival of the load.

    >>> derive_seed(1, "load") == derive_seed(1, "load")
    True
    >>> derive_seed(1, "load") == derive_seed(1, "fault:latency")
    False
    """
    text = "\x1f".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def derive_rng(seed: int, *names: str) -> Random:
    """Return a generator of its own for the stream `names` of a run."""
    return Random(derive_seed(seed, *names))
