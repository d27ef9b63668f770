"""The protocols of faults and of the capabilities that environments give them.

A fault says what is broken; a capability says how. Each capability method is an async context
manager: entering writes the undo to the journal, acts and reads back; leaving undoes and reads
back, after an error or a cancellation too.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from harness.model.system import Link


class Capability(StrEnum):
    """What an environment can do to a system."""

    NETWORK = "network"
    NETWORK_SHARE = "network_share"  # a fraction of connections, chosen by the seed
    PACKET = "packet"  # what no proxy can do, because it ends connections and starts others
    PROCESS = "process"
    RESOURCE = "resource"
    IN_PROCESS = "in_process"
    UPSTREAM = "upstream"
    CLOCK = "clock"
    DNS = "dns"
    ATTACHMENT = "attachment"  # to the networks that a service talks over
    LIMIT = "limit"  # what the operating system grants to all of a service
    DISK = "disk"


@dataclass(slots=True, kw_only=True)
class Applied:
    """A fault in force: what was read back, and what it was seen to do.

    Args:
        read_back: What reading it back showed, for people.
        effects: How often it was seen to act, filled by the capability at the latest when it
            heals; the network's effects stand in the proxy's records instead.
        effect: What was seen, for people.
    """

    read_back: str
    effects: int = 0
    effect: str = ""


Effect = AbstractAsyncContextManager[Applied]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicSpec:
    """A toxic on one stream of a link, in the field's own terms.

    Args:
        type: Toxiproxy's name of the type, e.g. `latency`.
        stream: `upstream` (client to server) or `downstream`.
        attributes: Toxiproxy's attributes: whole numbers in its own units.
        share: Fraction of connections that it acts on, in (0, 1].
    """

    type: str
    stream: str = "downstream"
    attributes: Mapping[str, int] = field(default_factory=dict)
    share: float = 1.0


class Network(Protocol):
    """Act on the traffic of links."""

    def toxic(self, link: Link, toxic: ToxicSpec) -> Effect:
        """Put a toxic on a link."""
        ...

    def down(self, link: Link) -> Effect:
        """Refuse new connections of a link and cut the present ones."""
        ...

    def partition(self, link: Link, *, direction: str, answer: str) -> Effect:
        """Let nothing pass between the ends of a link.

        Args:
            link: The link; others of the same client and server are left alone.
            direction: What is kept back: `request` (client to server), `response` or `both`.
            answer: What a sender hears of it: nothing (`drop`), or a reset (`reject`).
        """
        ...


class Processes(Protocol):
    """Act on the processes of services."""

    def kill(self, service: str) -> Effect:
        """Kill with SIGKILL; healing starts a new incarnation and waits until it is ready."""
        ...

    def stop(self, service: str) -> Effect:
        """Stop gracefully with SIGTERM; healing starts it again and waits until it is ready."""
        ...

    def pause(self, service: str) -> Effect:
        """Freeze with SIGSTOP; healing lets it go on."""
        ...

    def restart(self, service: str) -> Effect:
        """Stop gracefully and start again at once; healing waits until it is ready."""
        ...


class Resources(Protocol):
    """Take resources away from services."""

    def cpu_pressure(self, service: str, workers: int) -> Effect:
        """Keep `workers` busy loops on the processors that the service uses."""
        ...

    def memory_pressure(self, service: str, size_bytes: int) -> Effect:
        """Limit the address space of the service to what it has now plus `size_bytes`."""
        ...

    def fds_exhausted(self, service: str, spare: int) -> Effect:
        """Leave the service exactly `spare` file descriptors, also after it has closed some."""
        ...

    def connections_exhausted(self, service: str, spare: int) -> Effect:
        """Hold connections to the service until only `spare` more are accepted."""
        ...


class InProcess(Protocol):
    """Inject faults inside a service, through its chaos endpoint."""

    def fault(self, service: str, fault: str, settings: Mapping[str, Any]) -> Effect:
        """Switch an in-process fault on with its settings."""
        ...


class Upstreams(Protocol):
    """Script what the stand-in of an upstream answers."""

    def script(self, service: str, script: Mapping[str, Any]) -> Effect:
        """Add a script to a stand-in."""
        ...


class Attachments(Protocol):
    """Take services off their networks."""

    def disconnect(self, service: str) -> Effect:
        """Take a service off all networks that it shares with others."""
        ...


class Names(Protocol):
    """Act on how a service resolves the names of its servers."""

    def fail(self, service: str, how: str) -> Effect:
        """Let no name be resolved: `refuse` answers at once, `silence` never."""
        ...

    def delay(self, service: str, delay_s: float) -> Effect:
        """Answer each question for a name `delay_s` seconds later."""
        ...


class Limits(Protocol):
    """Act on what the operating system grants to all of a service."""

    def cpu_quota(self, service: str, cores: float) -> Effect:
        """Grant a service at most `cores` processors."""
        ...

    def oom_kill(self, service: str) -> Effect:
        """Let the kernel kill the service for want of memory; healing starts it again."""
        ...


class Disks(Protocol):
    """Act on the file systems that services write to."""

    def fill(self, service: str, spare_bytes: int) -> Effect:
        """Fill the file system that holds a service's data up to `spare_bytes`."""
        ...


class Clocks(Protocol):
    """Act on what services take for the time of day, never on how they measure durations."""

    def skew(self, service: str, offset_s: float) -> Effect:
        """Let the wall clock of a service be `offset_s` seconds ahead; behind, if negative."""
        ...


class Capabilities(Protocol):
    """Everything that faults may use; asking for what is not offered raises `FaultNotApplied`."""

    @property
    def network(self) -> Network:
        """Return control over links."""
        ...

    @property
    def processes(self) -> Processes:
        """Return control over processes."""
        ...

    @property
    def resources(self) -> Resources:
        """Return control over resources."""
        ...

    @property
    def in_process(self) -> InProcess:
        """Return the chaos endpoints of services."""
        ...

    @property
    def upstreams(self) -> Upstreams:
        """Return the scripts of stand-ins."""
        ...

    @property
    def attachments(self) -> Attachments:
        """Return control over the networks of services."""
        ...

    @property
    def names(self) -> Names:
        """Return control over the resolution of names."""
        ...

    @property
    def limits(self) -> Limits:
        """Return control over what is granted to services."""
        ...

    @property
    def disks(self) -> Disks:
        """Return control over file systems."""
        ...

    @property
    def clocks(self) -> Clocks:
        """Return control over wall clocks."""
        ...


@runtime_checkable
class Fault(Protocol):
    """What is broken, on purpose and reversibly; a frozen dataclass with described fields."""

    name: ClassVar[str]
    summary: ClassVar[str]

    @property
    def target(self) -> Link | str:
        """Return the link or the name of the service that it acts on."""
        ...

    @property
    def needs(self) -> frozenset[Capability]:
        """Return the capabilities that it needs."""
        ...

    def inject(self, on: Capabilities) -> Effect:
        """Apply the fault; leaving the context heals it, after an error inside too."""
        ...
