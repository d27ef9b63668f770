"""The fault `latency`: answers arrive late."""

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
class Latency:
    """Delay all data on one stream of a link by `delay`, give or take `jitter`.

    Clients see: slow answers, then timeouts once the delay exceeds their patience. A request
    that takes several round trips is delayed several times. Order is kept: a late chunk holds
    back those behind it.
    Heals: the delay is lifted; data that is held at that moment is sent on at once.
    Cannot imitate: a slow connect (connecting is never delayed), loss, or a server that is slow
    to compute (`pause` and `cpu_pressure` come closer).
    Do: choose a delay on the far side of the client's timeout, and another on the near side.
    Don't: put two latencies on one stream; the second counts the time that the first one took.

    Raises:
        ValueError: If a value leaves its range, or `jitter` exceeds `delay`.
    """

    name: ClassVar[str] = "latency"
    summary: ClassVar[str] = "delay the data of a link"

    link: Link = field(metadata=LINK)
    stream: str = field(default="downstream", metadata=STREAM)
    delay_s: float = field(
        metadata=meta(
            Kind.DURATION, "mean extra one-way delay", minimum=MILLISECOND_S, maximum=HOUR_S
        )
    )
    jitter_s: float = field(  # 0, so that any spread in a report is the system's own
        default=0.0,
        metadata=meta(
            Kind.DURATION, "half-width of the uniform spread around it", minimum=0, maximum=HOUR_S
        ),
    )
    share_ratio: float = field(default=1.0, metadata=SHARE)

    def __post_init__(self) -> None:
        require_described_values(self)
        if self.jitter_s > self.delay_s:
            raise ValueError(
                f"jitter: {self.jitter_s:g} s exceeds the delay of {self.delay_s:g} s; "
                "no message arrives before it is sent"
            )

    @property
    def target(self) -> Link:
        """Return the link."""
        return self.link

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over the network, and over a share of it if one is asked for."""
        return network_needs(self.share_ratio)

    def inject(self, on: Capabilities) -> Effect:
        """Put the delay on the stream; leaving the context lifts it."""
        attributes = {"latency": whole_ms(self.delay_s), "jitter": whole_ms(self.jitter_s)}
        toxic = ToxicSpec(
            type="latency", stream=self.stream, attributes=attributes, share=self.share_ratio
        )
        return on.network.toxic(self.link, toxic)
