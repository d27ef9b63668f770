"""The fault `cpu_pressure`: a service gets less of the processor."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuPressure:
    """Keep `workers` busy loops on the processors that a service uses.

    Clients see: higher latency, most of all in the tail; timeouts where work is heavy.
    Heals: the busy loops end.
    Cannot imitate: a throttled container (a quota stops it completely for part of each period),
    or pressure on this service alone where services share processors.
    Do: choose as many workers as the service has processors, and look at the tail.
    Don't: judge latency on a machine that the harness itself fills; its own lag is measured.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "cpu_pressure"
    summary: ClassVar[str] = "keep busy loops on the processors of a service"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that is put under pressure"))
    workers: int = field(metadata=meta(Kind.COUNT, "number of busy loops", minimum=1, maximum=64))

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
        """Start the busy loops; leaving the context ends them."""
        return on.resources.cpu_pressure(self.service, self.workers)
