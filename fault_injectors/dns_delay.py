"""The fault `dns_delay`: names are resolved late."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import HOUR_S, MILLISECOND_S
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsDelay:
    """Answer each question of a service for a name `delay` later.

    Clients see: of the service's calls, those are slow that need a new connection, by one delay
    for each name, or fail by a timeout that counts the connecting. Open connections go on.
    Heals: questions are answered at once again; those that are held at that moment are lost, and
    asked again by the system's resolver within 5 s of real time.
    Cannot imitate: a delay above 5 s of real time, at which the system's resolver asks again.
    Do: compare the delay with the timeout of connecting, which rarely counts names.
    Don't: expect an effect on pooled connections; a run in which nothing asked for a name is
    INCONCLUSIVE.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "dns_delay"
    summary: ClassVar[str] = "resolve the names that a service asks for late"

    service: str = field(metadata=meta(Kind.SERVICE, "the service whose questions are held"))
    delay_s: float = field(
        metadata=meta(
            Kind.DURATION, "how long each question is held", minimum=MILLISECOND_S, maximum=HOUR_S
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
        """Return control over the resolution of names."""
        return frozenset({Capability.DNS})

    def inject(self, on: Capabilities) -> Effect:
        """Hold questions; leaving the context lets them pass."""
        return on.names.delay(self.service, self.delay_s)
