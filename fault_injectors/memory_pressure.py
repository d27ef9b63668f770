"""The fault `memory_pressure`: a service runs out of memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPressure:
    """Limit the address space of a service to what it has now plus `size`.

    Clients see: failures of the operations whose allocation is refused; a service that cannot
    cope ends, and its connections with it.
    Heals: the former limit is set again; memory that was refused is not asked for again.
    Cannot imitate: the kernel's out-of-memory killer, or swapping: allocations fail at once.
    Do: leave room for a few requests and check that the others are served.
    Don't: choose 0B for a runtime that reserves address space ahead; it may never notice.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "memory_pressure"
    summary: ClassVar[str] = "leave a service little memory to grow"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that is put under pressure"))
    size_bytes: int = field(
        metadata=meta(Kind.SIZE, "address space that it may still take", minimum=0, maximum=1024**4)
    )

    def __post_init__(self) -> None:
        require_described_values(self)

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over resources."""
        return frozenset({Capability.RESOURCE})

    def inject(self, on: Capabilities) -> Effect:
        """Lower the limit; leaving the context sets the former one."""
        return on.resources.memory_pressure(self.service, self.size_bytes)
