"""Latency: delay everything, give or take a uniform jitter."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import NS_PER_MS, Attributes, whole_units
from fault_injectors.toxics.stage import Chunk, Effect, Hand, Item, Memory, Steps, Traits, Wait

JITTER_MS_MAX = 2**61  # twice the jitter must fit the API's integers; at 2**62 Toxiproxy 2.12 dies
QUEUE_CHUNKS = 1024  # as Toxiproxy: at 32 KiB a chunk this holds at most 32 MiB, then reading stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Delay all data by `delay_s`, give or take `jitter_s`.

    Order is kept: jitter bunches data and never reorders it. Connecting is not delayed.

    Args:
        delay_s: Mean extra one-way delay, seconds; whole milliseconds reach the API.
        jitter_s: Half-width of the uniform spread, seconds. Above `delay_s` a share of the data
            passes undelayed.

    Raises:
        ValueError: If a value is negative, or positive and below half a millisecond.
    """

    toxic_type: ClassVar[str] = "latency"
    attribute_names: ClassVar[tuple[str, ...]] = ("latency", "jitter")

    delay_s: float
    jitter_s: float = 0.0  # so that any spread seen is the system's own

    def __post_init__(self) -> None:
        if self.attributes()["jitter"] > JITTER_MS_MAX:
            raise ValueError(f"jitter_s={self.jitter_s!r} must be at most {JITTER_MS_MAX / 1000!r}")

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them, milliseconds."""
        return {
            "latency": whole_units(self.delay_s, per_one=1000, name="delay_s"),
            "jitter": whole_units(self.jitter_s, per_one=1000, name="jitter_s"),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Return the toxic that the API's attributes describe."""
        return cls(
            delay_s=attributes.get("latency", 0) / 1000,
            jitter_s=attributes.get("jitter", 0) / 1000,
        )

    def stage(self, rng: Random, memory: Memory) -> "LatencyStage":  # noqa: ARG002 - counts nothing
        """Return a stage for one link."""
        attributes = self.attributes()
        return LatencyStage(attributes["latency"], jitter_ms=attributes["jitter"], rng=rng)


class LatencyStage:
    """Hold each chunk until it is `latency_ms` older than its stamp."""

    def __init__(self, latency_ms: int, *, jitter_ms: int, rng: Random) -> None:
        self.traits = Traits(queue_chunks=QUEUE_CHUNKS)
        self.hand = Hand()
        self._latency_ms = latency_ms
        self._jitter_ms = jitter_ms
        self._rng = rng

    def handle(self, item: Item, now_ns: int) -> Steps:
        """Yield the chunk when it is due; an end follows what is before it and is not delayed."""
        if isinstance(item, Chunk):
            wait_ns = self._delay_ns() - (now_ns - item.stamp_ns)
            # Rewritten even if negative, as Toxiproxy 2.12 does: a chunk that was picked up late
            # counts as read earlier, which decides what a second latency toxic adds.
            item.stamp_ns += wait_ns
            if wait_ns > 0:
                self.hand.release = item
                yield Effect.DELAYED
                yield Wait(now_ns + wait_ns)
                self.hand.release = None
        yield item

    def _delay_ns(self) -> int:
        spread_ms = self._rng.randrange(-self._jitter_ms, self._jitter_ms) if self._jitter_ms else 0
        return (self._latency_ms + spread_ms) * NS_PER_MS
