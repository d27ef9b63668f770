"""The fault `disconnect`: a service is on no network any more."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """Take a service off all its networks, as if its cable were pulled.

    Clients see: connections that hang, since nobody tells them; its name is unknown meanwhile, and
    its published port refuses. A client behind a proxy is told at once instead when it connects:
    the proxy finds no server, accepts and closes.
    Heals: it is put back under the names that it had, and the fault ends when it is ready again;
    its address may be another one. Connections of before stay dead if the address has changed.
    Cannot imitate: a cut that spares some of its peers (`partition`), or the loss of what the
    service holds in memory (`kill`): it runs on, and its timers with it.
    Do: check that a service notices by itself that all of its servers are out of reach, and that
    it takes up its work when they are back.
    Don't: overlap it with `kill`, `stop`, `pause` or `restart` of the same service: nobody could
    see whether it came back.
    """

    name: ClassVar[str] = "disconnect"
    summary: ClassVar[str] = "take a service off all its networks"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that loses its networks"))

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over the networks of services."""
        return frozenset({Capability.ATTACHMENT})

    def inject(self, on: Capabilities) -> Effect:
        """Take it off; leaving the context puts it back."""
        return on.attachments.disconnect(self.service)
