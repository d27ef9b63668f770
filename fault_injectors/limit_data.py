"""The fault `limit_data`: a connection ends after so many bytes."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from fault_injectors.traffic import LINK, SHARE, STREAM, network_needs
from harness.model.fault import Capabilities, Capability, Effect, ToxicSpec
from harness.model.fields import Kind, meta
from harness.model.system import Link

_TEBIBYTE = 1024**4  # more than a link of a run carries


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData:
    """Close a connection once `size` bytes have passed on one stream.

    Clients see: answers cut off in the middle, and the connection gone.
    Heals: the toxic is removed; connections that were cut stay cut.
    Cannot imitate: a limit over all connections (each has its own count), or a close between
    two requests only.
    Do: choose a size inside the body of an answer, beyond its head.
    Don't: forget that a pooled connection adds up the bytes of all its requests.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "limit_data"
    summary: ClassVar[str] = "close a link's connections after so many bytes"

    link: Link = field(metadata=LINK)
    stream: str = field(default="downstream", metadata=STREAM)
    size_bytes: int = field(
        metadata=meta(
            Kind.SIZE,
            "bytes that pass; 0B: close at the first one",
            minimum=0,
            maximum=_TEBIBYTE,
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
        """Begin to count and cut; leaving the context stops that."""
        toxic = ToxicSpec(
            type="limit_data",
            stream=self.stream,
            attributes={"bytes": self.size_bytes},
            share=self.share_ratio,
        )
        return on.network.toxic(self.link, toxic)
