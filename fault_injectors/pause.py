"""The fault `pause`: a process stands still."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Freeze the process of a service; its connections stay open and nobody answers.

    Clients see: connects that succeed (the kernel accepts them) and requests that hang until
    their own timeout.
    Heals: the process goes on where it stood; requests that waited in its sockets are answered
    then, to clients that may have left.
    Cannot imitate: a slow service; this one does nothing at all.
    Do: use it for long garbage collections, stuck disks and live-migrated machines.
    Don't: change toxics of the same service's links meanwhile; a full buffer can block a proxy.
    """

    name: ClassVar[str] = "pause"
    summary: ClassVar[str] = "freeze a service with SIGSTOP and let it go on when it heals"

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
        """Freeze the process; leaving the context lets it go on."""
        return on.processes.pause(self.service)
