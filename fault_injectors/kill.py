"""The fault `kill`: a process dies without a word."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Kill the process of a service; healing starts a new one and waits until it is ready.

    Clients see: connections reset, then refused until the service is back; what it held in
    memory is gone, caches and breaker states included.
    Heals: a new incarnation is started on the same address and becomes ready.
    Cannot imitate: a crash at a chosen instant of the program, or a power cut: what was written
    to files survives.
    Do: check that no accepted work is lost, and that the first answers after the heal are sane.
    Don't: expect a graceful end; `stop` gives one.
    """

    name: ClassVar[str] = "kill"
    summary: ClassVar[str] = "kill a service with SIGKILL and start it again when it heals"

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
        """Kill the process; leaving the context starts a new one."""
        return on.processes.kill(self.service)
