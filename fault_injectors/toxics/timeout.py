"""Timeout: drop everything, and close a connection that stays silent."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import NS_PER_MS, Attributes, whole_units
from fault_injectors.toxics.stage import Chunk, Effect, Hand, Item, Memory, Steps, Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """Drop all data of a direction; close the connection after `after_s` without any.

    Every chunk starts the time again (Toxiproxy issue 121), so a chatty connection lives on.
    Removing the toxic closes the connections that it acted on: their streams have a hole.

    Args:
        after_s: Silence after which the connection closes, seconds; 0 means never. Whole
            milliseconds reach the API.

    Raises:
        ValueError: If the time is negative, or positive and below half a millisecond.
    """

    toxic_type: ClassVar[str] = "timeout"
    attribute_names: ClassVar[tuple[str, ...]] = ("timeout",)

    after_s: float

    def __post_init__(self) -> None:
        self.attributes()

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them, milliseconds."""
        return {"timeout": whole_units(self.after_s, per_one=1000, name="after_s")}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Return the toxic that the API's attributes describe."""
        return cls(after_s=attributes.get("timeout", 0) / 1000)

    def stage(self, rng: Random, memory: Memory) -> "TimeoutStage":  # noqa: ARG002 - no chance
        """Return a stage for one link."""
        return TimeoutStage(self.attributes()["timeout"])


class TimeoutStage:
    """Swallow chunks and pass an end; the chain closes the link after the idle limit."""

    def __init__(self, timeout_ms: int) -> None:
        self.traits = Traits(idle_limit_ns=timeout_ms * NS_PER_MS or None, drops_everything=True)
        self.hand = Hand()

    def handle(self, item: Item, now_ns: int) -> Steps:  # noqa: ARG002 - dropping takes no time
        """Yield an end as it came, and of a chunk only that it was dropped."""
        if isinstance(item, Chunk):
            yield Effect.DROPPED
        else:
            yield item
