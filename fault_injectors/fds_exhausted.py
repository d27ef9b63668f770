"""The fault `fds_exhausted`: a service can open no more files and sockets."""

from dataclasses import dataclass, field
from typing import ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class FdsExhausted:
    """Lower the limit on open files of a service to what it has open now plus `spare`.

    Clients see: connects that hang or are dropped, because the service cannot accept; answers
    that need a new upstream connection fail, those on open ones go on.
    Heals: the former limit is set again.
    Cannot imitate: a leak; descriptors that close during the fault can be opened again.
    Do: offer the load on fresh connections; pooled ones need no new descriptor.
    Don't: expect every runtime to survive; some stop accepting for good, which is a finding.

    Raises:
        ValueError: If a value leaves its range.
    """

    name: ClassVar[str] = "fds_exhausted"
    summary: ClassVar[str] = "leave a service few file descriptors"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that runs out of them"))
    spare: int = field(
        default=0,  # none: the next file or socket fails
        metadata=meta(Kind.COUNT, "descriptors that are left", minimum=0, maximum=100_000),
    )

    def __post_init__(self) -> None:
        require_described_values(self)

    @property
    def target(self) -> str:
        """Return the service."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over resources."""
        return frozenset({Capability.RESOURCE})

    def inject(self, on: Capabilities) -> Effect:
        """Lower the limit; leaving the context sets the former one."""
        return on.resources.fds_exhausted(self.service, self.spare)
