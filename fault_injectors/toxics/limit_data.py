"""Limit data: close a connection after so many bytes."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import Attributes, whole_bytes
from fault_injectors.toxics.stage import Chunk, Effect, Ending, Hand, Item, Memory, Steps, Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData:
    """Let `size_bytes` of a direction pass, then close the connection.

    Counts from when the toxic was added or the connection began, and closes as soon as the limit
    is met, also when it is met exactly.

    Args:
        size_bytes: The limit; 0 closes on the first data, not before.

    Raises:
        ValueError: If the size is negative or not a whole number.
    """

    toxic_type: ClassVar[str] = "limit_data"
    attribute_names: ClassVar[tuple[str, ...]] = ("bytes",)

    size_bytes: int

    def __post_init__(self) -> None:
        self.attributes()

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them, bytes."""
        return {"bytes": whole_bytes(self.size_bytes, name="size_bytes")}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Return the toxic that the API's attributes describe."""
        return cls(size_bytes=attributes.get("bytes", 0))

    def stage(self, rng: Random, memory: Memory) -> "LimitDataStage":  # noqa: ARG002 - no chance
        """Return a stage for one link."""
        return LimitDataStage(self.size_bytes, memory=memory)


class LimitDataStage:
    """Pass chunks until the limit, cut the last one, close."""

    def __init__(self, size_bytes: int, *, memory: Memory) -> None:
        self.traits = Traits()
        self.hand = Hand()
        self._size_bytes = size_bytes
        self._memory = memory

    def handle(self, item: Item, now_ns: int) -> Steps:  # noqa: ARG002 - counting takes no time
        """Yield what may still pass, then the close."""
        if not isinstance(item, Chunk):
            yield item
            return
        left_bytes = max(0, self._size_bytes - self._memory.passed_bytes)
        head, rest = item.content[:left_bytes], item.content[left_bytes:]
        self._memory.passed_bytes += len(head)
        if rest:  # a limit raised before the close lets it pass, so that the stream has no hole
            self.hand.again = Chunk(rest, item.stamp_ns)
        if head:
            yield Chunk(head, item.stamp_ns)
        if len(head) == left_bytes:
            yield Effect.CUT
            yield Ending.CLOSED
