"""The fault `slow_close`: the end of a connection is late."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import (
    HOUR_S,
    LINK,
    MILLISECOND_S,
    SHARE,
    STREAM,
    network_needs,
    whole_ms,
)
from harness.model.fault import Capabilities, Capability, Effect, ToxicSpec
from harness.model.fields import Kind, meta
from harness.model.system import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose:
    """Hold back the close of a connection for `delay`; its data passes untouched.

    Clients see: complete answers, but connections that linger, so that pools, descriptors and
    bodies that end with the connection take longer.
    Heals: the toxic is removed; closes that are held at that moment happen at once.
    Cannot imitate: a half-closed connection; the close of the other side is not delayed.
    Do: combine it with a load of fresh connections; pooled ones hardly ever close.
    Don't: expect slow answers from a client that reads `content-length`.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "slow_close"
    summary: ClassVar[str] = "delay the close of a link's connections"

    link: Link = field(metadata=LINK)
    stream: str = field(default="downstream", metadata=STREAM)
    delay_s: float = field(
        metadata=meta(
            Kind.DURATION, "how long the close is held", minimum=MILLISECOND_S, maximum=HOUR_S
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
        """Begin to hold closes back; leaving the context lets them happen."""
        attributes = {"delay": whole_ms(self.delay_s)}
        toxic = ToxicSpec(
            type="slow_close", stream=self.stream, attributes=attributes, share=self.share_ratio
        )
        return on.network.toxic(self.link, toxic)
