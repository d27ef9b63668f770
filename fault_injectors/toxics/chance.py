"""Chance, as a function of what is drawn for and never of what was drawn before."""

import hashlib
import struct
from dataclasses import dataclass
from random import Random
from typing import Protocol

from fault_injectors.toxics.stage import Stream

TOXICITY_BITS = 24  # the mantissa of a float32, in which the API keeps toxicities


class Chance(Protocol):
    """Hand out the generators of one link."""

    def generator(self, toxic: str, restart: int) -> Random:
        """Return the generator of the `restart`-th start of a toxic's stage, counted from 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededChance:
    """Derive every generator from the seed and the names of what it is for.

    The order in which connections arrive at different proxies, or other toxics come and go, changes
    no draw.

    Args:
        seed: Seed of the run.
        proxy: Name of the proxy.
        connection: Ordinal of the connection in that proxy, from 0.
        stream: Direction of the link.
    """

    seed: int
    proxy: str
    connection: int
    stream: Stream

    def generator(self, toxic: str, restart: int) -> Random:
        """Return the generator of one start of a toxic's stage."""
        names = (self.seed, self.proxy, self.connection, self.stream.value, toxic, restart)
        text = "\x1f".join(map(str, names))
        return Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()))


def draw_toxicity(rng: Random) -> float:
    """Return a number drawn uniformly from [0, 1) in float32.

    >>> 0.0 <= draw_toxicity(Random(1)) < 1.0
    True
    """
    return rng.getrandbits(TOXICITY_BITS) / (1 << TOXICITY_BITS)


def float32(value: float) -> float:
    """Return `value` rounded to float32, as the API keeps toxicities.

    >>> float32(1 / 3)
    0.3333333432674408
    """
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded
