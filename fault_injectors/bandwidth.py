"""The fault `bandwidth`: a link carries only so many bytes a second."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import LINK, SHARE, STREAM, network_needs, whole_kilobytes_per_s
from harness.model.fault import Capabilities, Capability, Effect, ToxicSpec
from harness.model.fields import Kind, meta
from harness.model.system import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Let one stream of a link carry at most `rate`, for each of its connections.

    Clients see: small answers nearly as fast as ever, large ones late, and timeouts in the
    middle of a body. There is no credit for idle time.
    Heals: the limit is lifted; held data is sent on at once.
    Cannot imitate: a budget that connections share (each has its own), or a full queue that
    loses data.
    Do: choose a rate at which the largest answer takes longer than the client waits.
    Don't: expect an effect on answers of a few hundred bytes.

    The rate is told to the proxy in whole kilobytes (1000 bytes) a second, rounded.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "bandwidth"
    summary: ClassVar[str] = "limit the bytes a second of a link"

    link: Link = field(metadata=LINK)
    stream: str = field(default="downstream", metadata=STREAM)
    rate_bytes_per_s: float = field(
        metadata=meta(
            Kind.RATE,
            "bytes a second of each connection",
            key="rate",
            minimum=1e3,  # the proxy's unit; its 0 would be a stall, which `timeout` does
            maximum=1e12,  # the largest rate that the proxy can be told
        )
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
        """Put the limit on the stream; leaving the context lifts it."""
        attributes = {"rate": whole_kilobytes_per_s(self.rate_bytes_per_s)}
        toxic = ToxicSpec(
            type="bandwidth", stream=self.stream, attributes=attributes, share=self.share_ratio
        )
        return on.network.toxic(self.link, toxic)
