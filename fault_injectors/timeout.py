"""The fault `timeout`: data disappears and nobody says so."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import HOUR_S, LINK, SHARE, STREAM, network_needs, whole_ms
from harness.model.fault import Capabilities, Capability, Effect, ToxicSpec
from harness.model.fields import Kind, meta
from harness.model.system import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """Drop all data on one stream of a link; close it after `after` without data, if given.

    Clients see: a connection that is accepted and then silent, until they give up themselves
    or, with `after`, until it is closed. Data that keeps coming starts the wait again.
    Heals: the toxic is removed, which closes every live connection of the link, because the
    dropped bytes cannot be brought back.
    Cannot imitate: a black-holed connect (connecting succeeds), or a close after a time under
    live traffic.
    Do: use it to prove that every call has a timeout of its own.
    Don't: read a burst of reconnects right after the heal as a defect; it is the heal.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "timeout"
    summary: ClassVar[str] = "drop all data of a link in silence"

    link: Link = field(metadata=LINK)
    stream: str = field(default="downstream", metadata=STREAM)
    after_s: float = field(
        default=0.0,
        metadata=meta(
            Kind.DURATION,
            "close after so long without data; 0s: never",
            minimum=0,
            maximum=HOUR_S,
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
        """Begin to drop data; leaving the context stops that and closes the connections."""
        attributes = {"timeout": whole_ms(self.after_s)}
        toxic = ToxicSpec(
            type="timeout", stream=self.stream, attributes=attributes, share=self.share_ratio
        )
        return on.network.toxic(self.link, toxic)
