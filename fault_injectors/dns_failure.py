"""The fault `dns_failure`: a service can resolve no name."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFailure:
    """Refuse each question of a service for a name, or answer it never.

    Clients see: of the service's calls, those fail that need a new connection: at once with
    `refuse`; with `silence` after the patience of the caller or of the system's resolver (10 s of
    real time, whatever the time scale), while they may hold a thread. Open connections go on.
    Heals: questions are answered again. One that was lost is asked again by the system's resolver
    within 5 s of real time.
    Cannot imitate: a name that leads to a wrong address, or is unknown while others are not.
    Do: give the service something to connect to meanwhile: a call to a server that it does not hold
    a connection to, or more calls at once than it holds.
    Don't: expect an effect on pooled connections; a run in which nothing asked for a name is
    INCONCLUSIVE.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "dns_failure"
    summary: ClassVar[str] = "let a service resolve no name"

    service: str = field(metadata=meta(Kind.SERVICE, "the service whose questions fail"))
    how: str = field(
        default="refuse",  # the plainest: calls fail at once
        metadata=meta(
            Kind.CHOICE,
            "what comes of a question: refuse is an error at once, silence is nothing",
            choices=("refuse", "silence"),
        ),
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
        """Let questions fail; leaving the context lets them be answered."""
        return on.names.fail(self.service, self.how)
