"""A toxic: what is done, to which stream, on what share of the connections."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Protocol, Self

from fault_injectors.toxics.attributes import Attributes
from fault_injectors.toxics.stage import Memory, Stage, Stream


class Behaviour(Protocol):
    """What a toxic does; one frozen class for each type, named in the catalogue."""

    toxic_type: ClassVar[str]
    attribute_names: ClassVar[tuple[str, ...]]

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them: whole numbers in its units."""
        ...

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Return the behaviour that the API's attributes describe; a missing one is 0.

        Raises:
            ValueError: If the values cannot be meant.
        """
        ...

    def stage(self, rng: Random, memory: Memory) -> Stage:
        """Return a stage for one link, which draws from `rng` only."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """One toxic of a proxy.

    Args:
        name: Unique in its proxy, over both streams. Text that a path of the API can address.
        behaviour: What it does, e.g. `Latency(delay_s=0.2)`.
        stream: The direction it acts on.
        toxicity: Probability in [0, 1] with which it acts on a link, drawn once per connection and
            again when the toxic is changed; never per request.

    Raises:
        ValueError: If the name cannot be addressed or the toxicity leaves its range.
    """

    name: str
    behaviour: Behaviour
    stream: Stream = Stream.DOWNSTREAM
    toxicity: float = 1.0

    def __post_init__(self) -> None:
        if not is_addressable(self.name):
            raise ValueError(f"name={self.name!r} must not be empty, '.', '..' or contain '/'")
        if not 0.0 <= self.toxicity <= 1.0:
            raise ValueError(f"toxicity={self.toxicity!r} must be in [0, 1]")


def is_addressable(name: str) -> bool:
    """Return whether a path of the API can lead to something of this name."""
    return name not in {"", ".", ".."} and "/" not in name


def on_stream(toxics: Sequence[Toxic], stream: Stream) -> tuple[Toxic, ...]:
    """Return the toxics that act on `stream`, in the order given."""
    return tuple(toxic for toxic in toxics if toxic.stream is stream)
