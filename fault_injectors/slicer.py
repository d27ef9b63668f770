"""The fault `slicer`: data arrives in small pieces."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import HOUR_S, LINK, SHARE, STREAM, network_needs, whole_us
from harness.model.fault import Capabilities, Capability, Effect, ToxicSpec
from harness.model.fields import Kind, meta
from harness.model.system import Link

_MEBIBYTE = 1024 * 1024  # a proxy reads 32 KiB at a time; larger slices never come to be


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer:
    """Cut the data of one stream into slices of about `average_size`, `delay` apart.

    Clients see: correct answers in many small pieces; parsers that take one read for one
    message break, and timeouts between bytes fire.
    Heals: the toxic is removed; the rest of a piece is sent at once, in one.
    Cannot imitate: pieces in the wrong order, or lost ones.
    Do: choose a size below the length of one head or one record.
    Don't: slice megabytes into bytes with a delay; the answer then takes hours.

    Raises:
        ValueError: If a value leaves its range, or the variation is not below the size: a slice
            of no bytes makes Toxiproxy 2.12 recurse until it dies.
    """

    name: ClassVar[str] = "slicer"
    summary: ClassVar[str] = "cut the data of a link into small pieces"

    link: Link = field(metadata=LINK)
    stream: str = field(default="downstream", metadata=STREAM)
    average_size_bytes: int = field(
        metadata=meta(Kind.SIZE, "average length of a slice", minimum=1, maximum=_MEBIBYTE)
    )
    variation_bytes: int = field(
        default=0,
        metadata=meta(
            Kind.SIZE, "how far a slice's length may be from it", minimum=0, maximum=_MEBIBYTE
        ),
    )
    delay_s: float = field(
        default=0.0,
        metadata=meta(Kind.DURATION, "pause after each slice", minimum=0, maximum=HOUR_S),
    )
    share_ratio: float = field(default=1.0, metadata=SHARE)

    def __post_init__(self) -> None:
        require_described_values(self)
        if self.variation_bytes >= self.average_size_bytes:
            raise ValueError(
                f"variation: {self.variation_bytes} bytes must be below the average_size of "
                f"{self.average_size_bytes}; a slice has at least one byte"
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
        """Begin to slice; leaving the context stops that."""
        attributes = {
            "average_size": self.average_size_bytes,
            "size_variation": self.variation_bytes,
            "delay": whole_us(self.delay_s),  # the one toxic whose delay is in microseconds
        }
        toxic = ToxicSpec(
            type="slicer", stream=self.stream, attributes=attributes, share=self.share_ratio
        )
        return on.network.toxic(self.link, toxic)
