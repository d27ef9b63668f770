"""The fault `down`: a server cannot be reached."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.traffic import LINK
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.system import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """Refuse new connections of a link and cut the present ones.

    Clients see: "connection refused" at once, and the end of every connection that they held.
    Heals: the link accepts connections again, at the same address.
    Cannot imitate: a server that hangs (`timeout`, `pause`), or one that comes back empty
    (`kill`): the server lives on and other links still reach it.
    Do: use it as the plainest outage: fast failures, one link, nothing lost on the server.
    Don't: measure timeouts with it; refused connections fail within a millisecond.
    """

    name: ClassVar[str] = "down"
    summary: ClassVar[str] = "refuse and cut the connections of a link"

    link: Link = field(metadata=LINK)

    @property
    def target(self) -> Link:
        """Return the link."""
        return self.link

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over the network."""
        return frozenset({Capability.NETWORK})

    def inject(self, on: Capabilities) -> Effect:
        """Take the link down; leaving the context brings it up again."""
        return on.network.down(self.link)
