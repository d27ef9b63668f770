"""The fault `restart`: a service is deployed anew."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Stop a service gracefully and start it again at once, as a deployment does.

    Clients see: a short stretch of refused connections, then a cold service.
    Heals: waits until the new incarnation is ready; nothing else is left to undo.
    Cannot imitate: a rolling deployment; there is one process of each service.
    Do: give it a window that is longer than a start of the service takes.
    Don't: use it for a long outage; `stop` keeps the service away for its whole window.
    """

    name: ClassVar[str] = "restart"
    summary: ClassVar[str] = "stop a service with SIGTERM and start it again at once"

    service: str = field(metadata=meta(Kind.SERVICE, "the service whose process it acts on"))

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over processes."""
        return frozenset({Capability.PROCESS})

    def inject(self, on: Capabilities) -> Effect:
        """Restart the process; leaving the context waits until it is ready."""
        return on.processes.restart(self.service)
