"""Bandwidth: limit the rate of each connection."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import NS_PER_MS, Attributes, whole_units
from fault_injectors.toxics.stage import (
    NEVER_NS,
    Chunk,
    Effect,
    Hand,
    Item,
    Memory,
    Steps,
    Traits,
    Wait,
)

RATE_KB_PER_S_MAX = 9 * 10**16  # beyond this Toxiproxy 2.12 overflows and dies (its PR 764)
PIECE_NS = 100 * NS_PER_MS  # a slow link lets data out every 100 ms, as Toxiproxy does


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Let at most `rate_bytes_per_s` pass on each connection; rates are not shared.

    Each piece leaves after its transmission time. Idling earns no credit for a burst later.

    Args:
        rate_bytes_per_s: The rate; whole kB/s (1000 bytes) reach the API. 0 is a stall: data are
            held, and released when the toxic goes.

    Raises:
        ValueError: If the rate is negative, or positive and below half a kB/s.
    """

    toxic_type: ClassVar[str] = "bandwidth"
    attribute_names: ClassVar[tuple[str, ...]] = ("rate",)

    rate_bytes_per_s: float

    def __post_init__(self) -> None:
        if self.attributes()["rate"] > RATE_KB_PER_S_MAX:
            raise ValueError(
                f"rate_bytes_per_s={self.rate_bytes_per_s!r} must be at most "
                f"{RATE_KB_PER_S_MAX * 1000}"
            )

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them, kB/s."""
        return {"rate": whole_units(self.rate_bytes_per_s, per_one=1e-3, name="rate_bytes_per_s")}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Return the toxic that the API's attributes describe."""
        return cls(rate_bytes_per_s=attributes.get("rate", 0) * 1000)

    def stage(self, rng: Random, memory: Memory) -> "BandwidthStage":  # noqa: ARG002 - no chance
        """Return a stage for one link."""
        return BandwidthStage(self.attributes()["rate"])


class BandwidthStage:
    """Pay for each chunk with time; what a wait overshot is taken off the next one."""

    def __init__(self, rate_kb_per_s: int) -> None:
        self.traits = Traits()
        self.hand = Hand()
        self._rate_kb_per_s = rate_kb_per_s
        self._debt_ns = 0

    def handle(self, item: Item, now_ns: int) -> Steps:
        """Yield the chunk in pieces of at most 100 ms, each after its transmission time."""
        if not isinstance(item, Chunk):
            yield item
            return
        self.hand.release = item
        yield Effect.THROTTLED
        if self._rate_kb_per_s == 0:
            yield Wait(NEVER_NS)
            return
        self._debt_ns += len(item.content) * NS_PER_MS // self._rate_kb_per_s
        piece_bytes = self._rate_kb_per_s * 100
        rest = item.content
        while len(rest) > piece_bytes:
            waited_until_ns = yield Wait(now_ns + PIECE_NS)
            self._debt_ns -= waited_until_ns - now_ns
            piece, rest = rest[:piece_bytes], rest[piece_bytes:]
            self.hand.release = Chunk(rest, item.stamp_ns)
            now_ns = yield Chunk(piece, item.stamp_ns)
        waited_until_ns = yield Wait(now_ns + self._debt_ns)
        self._debt_ns -= waited_until_ns - now_ns
        self.hand.release = None
        yield Chunk(rest, item.stamp_ns)
