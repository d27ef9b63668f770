"""The fault `clock_skew`: a service has the wrong time of day."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta

_FARTHEST_S = 366 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """Set the wall clock of a service ahead by `offset`, or back if that is negative.

    Only what the service takes for the time of day: durations, timeouts and timers are measured
    with another clock, which is never touched, and no other service is.

    Clients see: dates of another time; wrong ages and expiries, where a service computes them from
    the time of day, and waits that are too long or too short.
    Heals: the service has this host's time of day again.
    Cannot imitate: a clock that drifts or goes back and forth, a leap second, or a database's own
    `now()`, which is another service's clock.
    Do: choose an offset beyond every age limit, and check that no decision changes.
    Don't: sort log lines of several services by their own times during the fault.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "clock_skew"
    summary: ClassVar[str] = "set the wall clock of a service ahead or back"

    service: str = field(metadata=meta(Kind.SERVICE, "the service whose clock is wrong"))
    offset_s: float = field(
        metadata=meta(
            Kind.DURATION,
            "how far it is ahead; behind, if negative",
            minimum=-_FARTHEST_S,
            maximum=_FARTHEST_S,
        )
    )

    def __post_init__(self) -> None:
        require_described_values(self)
        if self.offset_s == 0:
            raise ValueError("offset: 0 s is no wrong time; give one ahead or, negative, behind")

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over wall clocks."""
        return frozenset({Capability.CLOCK})

    def inject(self, on: Capabilities) -> Effect:
        """Set the clock; leaving the context sets it right."""
        return on.clocks.skew(self.service, self.offset_s)
