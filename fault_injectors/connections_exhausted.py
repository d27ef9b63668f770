"""The fault `connections_exhausted`: others hold all connections of a service."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsExhausted:
    """Hold connections to a service until it accepts only `spare` more.

    Clients see: new connections refused or left waiting, while those that they hold go on.
    Heals: the held connections are closed.
    Cannot imitate: connections that also work: the held ones are idle.
    Do: aim it at a service with a limit of its own, such as a PostgreSQL server.
    Don't: leave the limit at thousands; holding them is then most of the run.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "connections_exhausted"
    summary: ClassVar[str] = "hold the connections that a service accepts"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that runs out of them"))
    spare: int = field(
        default=0,  # none: the next connection is refused
        metadata=meta(Kind.COUNT, "connections that are left", minimum=0, maximum=100_000),
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
        """Take the connections; leaving the context closes them."""
        return on.resources.connections_exhausted(self.service, self.spare)
