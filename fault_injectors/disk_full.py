"""The fault `disk_full`: a service finds no space left on its device."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFull:
    """Fill the file system that holds a service's data, up to `spare`.

    Only where that file system has a size of its own; that of the host is never filled.

    Clients see: failures of what has to be written, while reads go on, as far as the service can
    tell one from the other.
    Heals: the file that took the space is removed.
    Cannot imitate: a disk that fails or slows down, one without inodes, or a write that is lost.
    Do: check that nothing acknowledged is lost, and that the service takes writes again by itself.
    Don't: expect every write to fail: what overwrites a file in place needs no space, and a
    database keeps files that it can write into for a while.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "disk_full"
    summary: ClassVar[str] = "fill the file system of a service's data"

    service: str = field(metadata=meta(Kind.SERVICE, "the service whose file system is filled"))
    spare_bytes: int = field(
        default=0,  # nothing fits any more
        metadata=meta(Kind.SIZE, "space that is left", minimum=0, maximum=1024**4),
    )

    def __post_init__(self) -> None:
        require_described_values(self)

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over file systems."""
        return frozenset({Capability.DISK})

    def inject(self, on: Capabilities) -> Effect:
        """Write a file that takes the space; leaving the context removes it."""
        return on.disks.fill(self.service, self.spare_bytes)
