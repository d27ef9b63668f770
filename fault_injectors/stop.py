"""The fault `stop`: a service is shut down in order."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Stop a service gracefully; healing starts it again and waits until it is ready.

    Clients see: answers to what is in flight if the service drains, then refused connections.
    Heals: a new incarnation is started on the same address and becomes ready.
    Cannot imitate: a crash; a service that needs longer than its bound is killed.
    Do: check that no operation in flight at the signal fails.
    Don't: use it for "the server is gone"; `kill` and `down` are less polite.
    """

    name: ClassVar[str] = "stop"
    summary: ClassVar[str] = "stop a service with SIGTERM and start it again when it heals"

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
        """Stop the process; leaving the context starts it again."""
        return on.processes.stop(self.service)
