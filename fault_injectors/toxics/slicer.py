"""Slicer: cut data into small pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import NS_PER_US, Attributes, whole_bytes, whole_units
from fault_injectors.toxics.stage import Chunk, Effect, Hand, Item, Memory, Steps, Traits, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer:
    """Cut data into slices of about `average_size_bytes`, `delay_s` apart.

    Data are halved until a slice is small enough, so without variation the slices are between
    half of the average and the average.

    Args:
        average_size_bytes: Upper size of a slice before variation.
        size_variation_bytes: How far a cut may move from the middle.
        delay_s: Pause after each slice, the last included, seconds; whole microseconds reach the
            API, and slices due in one step of the event loop leave together.

    Raises:
        ValueError: If the sizes could never end the cutting, or cut outside the data (either kills
            Toxiproxy 2.12, its issues 541 and 178).
    """

    toxic_type: ClassVar[str] = "slicer"
    attribute_names: ClassVar[tuple[str, ...]] = ("average_size", "size_variation", "delay")

    average_size_bytes: int
    size_variation_bytes: int = 0
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        self.attributes()
        if self.average_size_bytes + self.size_variation_bytes <= 0:
            raise ValueError("average_size_bytes and size_variation_bytes must not both be 0")
        if self.size_variation_bytes > self.average_size_bytes + 1:
            raise ValueError(
                f"size_variation_bytes={self.size_variation_bytes!r} must be at most "
                f"average_size_bytes + 1 = {self.average_size_bytes + 1}"
            )

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them: bytes, and microseconds for the delay."""
        return {
            "average_size": whole_bytes(self.average_size_bytes, name="average_size_bytes"),
            "size_variation": whole_bytes(self.size_variation_bytes, name="size_variation_bytes"),
            "delay": whole_units(self.delay_s, per_one=1_000_000, name="delay_s"),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Return the toxic that the API's attributes describe."""
        return cls(
            average_size_bytes=attributes.get("average_size", 0),
            size_variation_bytes=attributes.get("size_variation", 0),
            delay_s=attributes.get("delay", 0) / 1_000_000,
        )

    def stage(self, rng: Random, memory: Memory) -> "SlicerStage":  # noqa: ARG002 - counts nothing
        """Return a stage for one link."""
        return SlicerStage(self, rng=rng)


class SlicerStage:
    """Cut each chunk by halving it, and pause after each slice."""

    def __init__(self, slicer: Slicer, *, rng: Random) -> None:
        self.traits = Traits()
        self.hand = Hand()
        self._average = slicer.average_size_bytes
        self._variation = slicer.size_variation_bytes
        self._delay_ns = slicer.attributes()["delay"] * NS_PER_US
        self._rng = rng

    def handle(self, item: Item, now_ns: int) -> Steps:
        """Yield the slices in order; the rest leaves in one piece when the chain is changed."""
        if not isinstance(item, Chunk):
            yield item
            return
        self.hand.release = item
        yield Effect.SLICED
        due_ns = now_ns
        for start, stop in self._cuts(0, len(item.content)):
            rest = item.content[stop:]
            self.hand.release = Chunk(rest, item.stamp_ns) if rest else None
            handed_ns = yield Chunk(item.content[start:stop], item.stamp_ns)
            if handed_ns > now_ns:
                due_ns = handed_ns  # the next stage made us wait, which earns no credit
            due_ns += self._delay_ns
            # Counted from when it was due, not from when a late timer fired: delays of some
            # microseconds cannot be slept and would otherwise add up to milliseconds.
            now_ns = yield Wait(due_ns)

    def _cuts(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        if stop - start - self._average <= self._variation:
            if stop > start:
                yield start, stop
            return
        middle = start + (stop - start) // 2
        if self._variation:
            middle += self._rng.randrange(-self._variation, self._variation)
        yield from self._cuts(start, middle)
        yield from self._cuts(middle, stop)
