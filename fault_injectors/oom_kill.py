"""The fault `oom_kill`: a service is killed for want of memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class OomKill:
    """Let the kernel kill a service for want of memory; healing starts it again.

    Its container runs out of the memory that it is limited to, and the kernel chooses the service.

    Clients see: what they see of `kill`: connections reset, then refused or closed until it is
    back; what it held in memory is gone.
    Heals: a new incarnation is started on the same address and becomes ready.
    Cannot imitate: the slow minutes before the end, in which a service pages its own code in again
    and again, or a leak, which comes back after every restart.
    Do: check that its work is taken up again, and that nobody else notices.
    Don't: expect a service to clean up: nothing of it runs after the kernel has chosen.
    """

    name: ClassVar[str] = "oom_kill"
    summary: ClassVar[str] = (
        "let the kernel kill a service for want of memory and start it again when it heals"
    )

    service: str = field(metadata=meta(Kind.SERVICE, "the service that is killed"))

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over what is granted to services."""
        return frozenset({Capability.LIMIT})

    def inject(self, on: Capabilities) -> Effect:
        """Exhaust its memory; leaving the context starts a new incarnation."""
        return on.limits.oom_kill(self.service)
