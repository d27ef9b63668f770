"""The fault `in_process`: calls go wrong inside a service, before they reach the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta

KINDS = (
    "network_failure",
    "network_delay",
    "upstream_error",
    "data_corruption",
    "timeout",
    "resource_exhaustion",
)
_KINDS_OF = {  # which kinds an optional field means something to
    "error": ("network_failure", "upstream_error", "timeout"),
    "delay": ("network_delay", "timeout"),
    "status": ("upstream_error",),
    "size": ("data_corruption", "resource_exhaustion"),
    "cpu": ("resource_exhaustion",),
}
_HOUR_S = 3600.0  # longer than any run of ours
_MINUTE_S = 60.0  # a call that computes for longer is stuck, which `pause` does
_GIBIBYTE = 1024**3  # more would end the service, which `kill` does on purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """Make calls of a service to its upstreams go wrong inside its own process.

    Clients see: what the service's protection makes of the error, delay or damage, exactly as
    if the upstream had caused it.
    Heals: the fault is switched off; calls that it delays at that moment finish.
    Cannot imitate: anything that the kernel or the other side does, such as half-open
    connections or lost answers to work that was carried out.
    Do: use `fail_first` to break exactly the first attempts, and `probability` for a share.
    Don't: use it where a fault on the link can say the same; only that one needs no help of
    the service.

    Raises:
        ValueError: If a value leaves its range, a field means nothing to the kind, both
            `probability` and `fail_first` are given, or the kind lacks what it needs.
    """

    name: ClassVar[str] = "in_process"
    summary: ClassVar[str] = "make calls go wrong inside a service"

    service: str = field(metadata=meta(Kind.SERVICE, "the service whose calls go wrong"))
    kind: str = field(metadata=meta(Kind.CHOICE, "how they go wrong", choices=KINDS))
    probability: float | None = field(
        default=None,
        metadata=meta(
            Kind.RATIO,
            "share of calls, chosen by the seed; all of them if neither this nor fail_first is set",
            minimum=0.001,  # fewer than one call in a thousand is an accident, not a fault
            maximum=1.0,
        ),
    )
    fail_first: int | None = field(
        default=None,
        metadata=meta(
            Kind.COUNT,
            "only so many attempts of each call, the first ones",
            minimum=1,
            maximum=1000,
        ),
    )
    error: str | None = field(
        default=None,
        metadata=meta(Kind.TEXT, "name of an errno such as ECONNREFUSED, or a message"),
    )
    delay_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION,
            "how long network_delay holds a call, or timeout before it fails; without it a "
            "timeout lasts until the caller gives up",
            minimum=0.001,
            maximum=_HOUR_S,
        ),
    )
    status: int | None = field(
        default=None,
        metadata=meta(
            Kind.COUNT, "HTTP status of upstream_error; 503 if not given", minimum=400, maximum=599
        ),
    )
    size_bytes: int | None = field(
        default=None,
        metadata=meta(
            Kind.SIZE,
            "memory that resource_exhaustion holds, or places that data_corruption changes",
            minimum=1,
            maximum=_GIBIBYTE,
        ),
    )
    cpu_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION,
            "processor time that resource_exhaustion burns before a call",
            minimum=0.001,
            maximum=_MINUTE_S,
        ),
    )

    def __post_init__(self) -> None:
        require_described_values(self)
        if self.probability is not None and self.fail_first is not None:
            raise ValueError("fail_first: excludes probability; give one of them")
        given = {key: value for key, value in self._options().items() if value is not None}
        for key in given:
            if self.kind not in _KINDS_OF[key]:
                kinds = " and ".join(_KINDS_OF[key])
                raise ValueError(f"{key}: means nothing to kind {self.kind}; only to {kinds}")
        if self.kind == "network_delay" and "delay" not in given:
            raise ValueError("kind: network_delay needs a delay; without one nothing is done")
        if self.kind == "resource_exhaustion" and not given:
            raise ValueError("kind: resource_exhaustion needs a size or cpu")

    def _options(self) -> Mapping[str, Any]:
        return {
            "error": self.error,
            "delay": self.delay_s,
            "status": self.status,
            "size": self.size_bytes,
            "cpu": self.cpu_s,
        }

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return access to the chaos endpoints of services."""
        return frozenset({Capability.IN_PROCESS})

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return what the chaos endpoint is told; what was not given is left out."""
        everything = self.probability is None and self.fail_first is None
        settings = {
            "probability": 1.0 if everything else self.probability,
            "fail_first": self.fail_first,
            "error": self.error,
            "delay_s": self.delay_s,
            "status": self.status,
            "size_bytes": self.size_bytes,
            "cpu_s": self.cpu_s,
        }
        return {key: value for key, value in settings.items() if value is not None}

    def inject(self, on: Capabilities) -> Effect:
        """Switch the fault on; leaving the context switches it off."""
        return on.in_process.fault(self.service, self.kind, self.settings)
