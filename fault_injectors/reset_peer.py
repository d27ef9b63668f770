"""The fault `reset_peer`: connections end by RST."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import HOUR_S, LINK, SHARE, STREAM, network_needs, whole_ms
from harness.model.fault import Capabilities, Capability, Effect, ToxicSpec
from harness.model.fields import Kind, meta
from harness.model.system import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPeer:
    """Reset a connection at its first data on one stream, `after` later.

    Clients see: "connection reset by peer" instead of an answer, possibly after the server has
    done the work. Server and client both see the reset.
    Heals: the toxic is removed; connections that were accepted meanwhile may still end by a
    reset.
    Cannot imitate: a reset of an idle connection, or one that only one side sees.
    Do: use `stream: downstream` to lose the answer of a request that was carried out.
    Don't: mistake it for `down`, which refuses the connect itself.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "reset_peer"
    summary: ClassVar[str] = "reset the connections of a link"

    link: Link = field(metadata=LINK)
    stream: str = field(default="downstream", metadata=STREAM)
    after_s: float = field(
        default=0.0,
        metadata=meta(
            Kind.DURATION, "time between the first data and the reset", minimum=0, maximum=HOUR_S
        ),
    )
    share_ratio: float = field(default=1.0, metadata=SHARE)

    def __post_init__(self) -> None:
        require_described_values(self)

    @property
    def target(self) -> Link:
        """Return the link."""
        return self.link

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over the network, and over a share of it if one is asked for."""
        return network_needs(self.share_ratio)

    def inject(self, on: Capabilities) -> Effect:
        """Begin to reset connections; leaving the context stops that."""
        attributes = {"timeout": whole_ms(self.after_s)}
        toxic = ToxicSpec(
            type="reset_peer", stream=self.stream, attributes=attributes, share=self.share_ratio
        )
        return on.network.toxic(self.link, toxic)
