"""The fault `cpu_quota`: a service is granted less of the processor."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuQuota:
    """Grant a service at most `cores` processors, as an engine of containers does.

    The kernel stops all processes of the service for the rest of each period (100 ms) in which they
    have used up their share: with 0.05 cores they may run for 5 ms, and then stand still for 95 ms.

    Clients see: latency in steps of the period, most of all in the tail; timeouts where one answer
    needs more than its share, and a queue that grows as long as more is asked than is granted.
    Heals: the former quota is granted again; what has queued up is worked off.
    Cannot imitate: a busy neighbour, who leaves the processor to whoever is idle (`cpu_pressure`).
    Do: put load on the service: one that idles never reaches its quota, and nothing is observed.
    Don't: give less than a health check takes where a supervisor restarts what fails it.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "cpu_quota"
    summary: ClassVar[str] = "throttle a service to a share of a processor"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that is throttled"))
    cores: float = field(
        metadata=meta(
            Kind.NUMBER,
            "processors that it may use, e.g. 0.05",
            minimum=0.01,  # the engine's own: it grants a millisecond in 100 at least
            maximum=64.0,
        )
    )

    def __post_init__(self) -> None:
        require_described_values(self)

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over what is granted to services."""
        return frozenset({Capability.LIMIT})

    def inject(self, on: Capabilities) -> Effect:
        """Lower the quota; leaving the context grants the former one."""
        return on.limits.cpu_quota(self.service, self.cores)
