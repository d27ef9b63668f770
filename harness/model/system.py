"""The system under test, as its file describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """The traffic between a client and a server that it calls, where network faults act."""

    client: str
    server: str

    def __str__(self) -> str:
        """Return the form that files and reports use.

        >>> str(Link("api", "db"))
        'api -> db'
        """
        return f"{self.client} -> {self.server}"

    @classmethod
    def parse(cls, text: str) -> "Link":
        """Return the link written `client -> server`.

        Raises:
            ValueError: If the text has another form.
        """
        client, arrow, server = text.partition("->")
        if not arrow or not client.strip() or not server.strip():
            raise ValueError(f"expected a link such as 'api -> db', got {text!r}")
        return cls(client.strip(), server.strip())


class ServiceKind(StrEnum):
    """How an environment starts a service."""

    COMMAND = "command"  # a program of the system; it gets its port and its upstreams' addresses
    POSTGRESQL = "postgresql"  # a fresh PostgreSQL cluster with one database


class EventSource(StrEnum):
    """Where the harness finds what a service says of itself."""

    NONE = "none"  # nowhere: it is observed from outside only
    FILE = "file"  # in a file that it appends to, in the folder `ATLAS_EVENT_DIR`
    HTTP = "http"  # in the live stream that it answers `GET /events` with


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One separately startable part of the system, with an address.

    Args:
        name: Lower-case identifier, unique in the system.
        kind: How it is started.
        command: Program and arguments; the first word `python` means the harness's interpreter.
        ready_path: HTTP path that answers 200 once the service is ready; None: a TCP connect.
        ready_within_s: Bound for becoming ready, real seconds.
        stop_within_s: Bound for a graceful stop after SIGTERM, real seconds.
        environment: Extra environment variables.
        events: Where its events are found.
        has_chaos: Whether it has token-protected chaos endpoints under `/chaos`.
        listener: Environment variable that hands it its listening socket as a descriptor; the
            socket outlives a restart, so clients wait where they would be refused.
        prepare: Commands run once, in order, after its upstreams are ready and before it starts.
        database: Name of the database and its user (postgresql only).
        max_connections: Connection limit (postgresql only).
    """

    name: str
    kind: ServiceKind = ServiceKind.COMMAND
    command: tuple[str, ...] = ()
    ready_path: str | None = None
    ready_within_s: float = 15.0  # a cold start of all services on two busy cores took 6 s
    stop_within_s: float = 5.0
    environment: Mapping[str, str] = field(default_factory=dict)
    events: EventSource = EventSource.NONE
    has_chaos: bool = False
    listener: str | None = None
    prepare: tuple[tuple[str, ...], ...] = ()
    database: str = "atlas"
    max_connections: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """A link of the system and what is promised about it.

    Args:
        link: Client and server.
        variable: Environment variable of the client that holds the server's `host:port`.
        amplification_at_most: Most requests at the server for one call of the client; None:
            nothing is promised.
    """

    link: Link
    variable: str
    amplification_at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A circuit breaker of the system, as far as plans and checks need to know it.

    Args:
        name: Its name in the service's events.
        service: The service that holds it.
        links: The links that it protects.
        open_duration_s: Unscaled time that it stays open.
        failure_threshold: Consecutive failures that open it.
        half_open_max_calls: Probes allowed at the same time while half-open.
    """

    name: str
    service: str
    links: tuple[Link, ...]
    open_duration_s: float
    failure_threshold: int = 5
    half_open_max_calls: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The services and links under test, taken together.

    Args:
        name: Identifier, the name of the file without `.system.yaml`.
        path: The file.
        description: One sentence for people.
        services: In order of definition.
        links: All links; each starts and ends at a service of this system.
        breakers: The circuit breakers that plans and checks may refer to.
        datasets: Named finite lists of values for operations, e.g. coordinates.
    """

    name: str
    path: Path
    description: str = ""
    services: tuple[Service, ...]
    links: tuple[LinkSpec, ...] = ()
    breakers: tuple[Breaker, ...] = ()
    datasets: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)

    def service(self, name: str) -> Service:
        """Return the service called `name`.

        Raises:
            KeyError: If there is none.
        """
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)

    def link(self, link: Link) -> LinkSpec:
        """Return what the file says of `link`.

        Raises:
            KeyError: If there is none.
        """
        for spec in self.links:
            if spec.link == link:
                return spec
        raise KeyError(str(link))

    def upstreams(self, client: str) -> tuple[str, ...]:
        """Return the servers that `client` calls, in order of definition."""
        return tuple(spec.link.server for spec in self.links if spec.link.client == client)

    def reachable(self, clients: tuple[str, ...]) -> tuple[str, ...]:
        """Return `clients` and all that they call, upstreams first: the order to start them in."""
        ordered: list[str] = []

        def visit(name: str) -> None:
            if name in ordered:
                return
            for server in self.upstreams(name):
                visit(server)
            ordered.append(name)

        for client in clients:
            visit(client)
        return tuple(ordered)
