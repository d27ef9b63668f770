"""The fault `partition`: nothing passes between the two ends of a link."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import LINK
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta
from harness.model.system import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Keep back all that the ends of a link send each other, in both directions or in one.

    Clients see: with `drop`, connections that hang, new ones while they connect, until their own
    patience ends; with `reject`, a reset of what they send, and new connections refused at once.
    With `response` alone, requests over open connections arrive and are carried out, and no answer
    comes back; rejected, only the sender of the answer hears of it, and the client hangs.
    Heals: packets pass again. Connections that both ends still hold go on with what was kept back,
    after a pause that has grown with the length of the fault (TCP's own back-off).
    Cannot imitate: among processes, a connect that hangs (the proxy accepts, then is silent, and
    closes every connection of the link when it heals), or one direction rejected alone, which is
    refused there; anywhere, a link that loses only some packets.
    Do: prove with `drop` that each call has a timeout, the connecting included; compare with
    `down`, which answers at once.
    Don't: take `response` for a server that did nothing: it did what it was asked.

    In containers packets are lost between the client and the proxy, the only hop on which a link
    has a port of its own; a client that starts anew meanwhile finds the partition in force again.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "partition"
    summary: ClassVar[str] = "let nothing pass between a client and one of its servers"

    link: Link = field(metadata=LINK)
    direction: str = field(
        default="both",
        metadata=meta(
            Kind.CHOICE,
            "what is kept back: request is client to server, response is server to client",
            choices=("both", "request", "response"),
        ),
    )
    answer: str = field(
        default="drop",
        metadata=meta(
            Kind.CHOICE,
            "what the sender hears of it: nothing, or a reset",
            choices=("drop", "reject"),
        ),
    )

    def __post_init__(self) -> None:
        require_described_values(self)

    @property
    def target(self) -> Link:
        """Return the link."""
        return self.link

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over the network, over its packets if one direction is rejected."""
        if self.answer == "reject" and self.direction != "both":
            return frozenset({Capability.NETWORK, Capability.PACKET})
        return frozenset({Capability.NETWORK})

    def inject(self, on: Capabilities) -> Effect:
        """Part client and server; leaving the context lets them meet again."""
        return on.network.partition(self.link, direction=self.direction, answer=self.answer)
