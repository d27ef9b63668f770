"""Noop: change nothing. The specimen to copy when writing a toxic."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from fault_injectors.toxics.attributes import Attributes
from fault_injectors.toxics.stage import Memory, PassOn


@dataclass(frozen=True, slots=True, kw_only=True)
class Noop:
    """Pass everything on; still a stage with draws of its own."""

    toxic_type: ClassVar[str] = "noop"
    attribute_names: ClassVar[tuple[str, ...]] = ()

    def attributes(self) -> dict[str, int]:
        """Return the attributes as the API knows them: none."""
        return {}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:  # noqa: ARG003 - it has none
        """Return the toxic that the API's attributes describe."""
        return cls()

    def stage(self, rng: Random, memory: Memory) -> PassOn:  # noqa: ARG002 - it draws nothing
        """Return a stage for one link."""
        return PassOn()
