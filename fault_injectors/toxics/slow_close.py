"""Slow close: hold the end of a stream back."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import NS_PER_MS, Attributes, whole_units
from fault_injectors.toxics.stage import Chunk, Effect, Hand, Item, Memory, Steps, Traits, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose:
    """Delay the end of a direction by `delay_s`; data pass untouched.

    On the downstream it delays closes that come from the server, on the upstream the client's.

    Args:
        delay_s: How long the end is held, seconds; whole milliseconds reach the API.

    Raises:
        ValueError: If the delay is negative, or positive and below half a millisecond.
    """

    toxic_type: ClassVar[str] = "slow_close"
    attribute_names: ClassVar[tuple[str, ...]] = ("delay",)

    delay_s: float

    def __post_init__(self) -> None:
        self.attributes()

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them, milliseconds."""
        return {"delay": whole_units(self.delay_s, per_one=1000, name="delay_s")}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Return the toxic that the API's attributes describe."""
        return cls(delay_s=attributes.get("delay", 0) / 1000)

    def stage(self, rng: Random, memory: Memory) -> "SlowCloseStage":  # noqa: ARG002 - no chance
        """Return a stage for one link."""
        return SlowCloseStage(self.attributes()["delay"])


class SlowCloseStage:
    """Pass chunks, hold the end."""

    def __init__(self, delay_ms: int) -> None:
        self.traits = Traits()
        self.hand = Hand()
        self._delay_ns = delay_ms * NS_PER_MS

    def handle(self, item: Item, now_ns: int) -> Steps:
        """Yield a chunk at once and an end when its delay is over."""
        if not isinstance(item, Chunk):
            self.hand.again = item  # a changed toxic starts a full new delay
            yield Effect.HELD_CLOSE
            yield Wait(now_ns + self._delay_ns)
            self.hand.again = None
        yield item
