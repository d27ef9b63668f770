"""Reset peer: break a connection off with an RST."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import NS_PER_MS, Attributes, whole_units
from fault_injectors.toxics.stage import Effect, Ending, Hand, Item, Memory, Steps, Traits, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPeer:
    """Reset the connection `after_s` after the first data or end of its direction.

    An idle connection is not reset. The data that set it off are dropped with the connection; if
    the toxic goes before the time is over, they pass and the connection lives on.

    Args:
        after_s: Seconds from the first data to the RST; whole milliseconds reach the API.

    Raises:
        ValueError: If the time is negative, or positive and below half a millisecond.
    """

    toxic_type: ClassVar[str] = "reset_peer"
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

    def stage(self, rng: Random, memory: Memory) -> "ResetPeerStage":  # noqa: ARG002 - no chance
        """Return a stage for one link."""
        return ResetPeerStage(self.attributes()["timeout"])


class ResetPeerStage:
    """Keep the first item in hand until the time is over, then end with a reset."""

    def __init__(self, timeout_ms: int) -> None:
        self.traits = Traits(resets=True)
        self.hand = Hand()
        self._timeout_ns = timeout_ms * NS_PER_MS

    def handle(self, item: Item, now_ns: int) -> Steps:
        """Yield a reset in place of the item."""
        self.hand.again = item
        yield Wait(now_ns + self._timeout_ns)
        yield Effect.RESET
        yield Ending.RESET
