"""The keys of a system file."""

from collections.abc import Sequence
from typing import Any

from harness.model.fields import Kind
from harness.model.system import Breaker, EventSource, Link, LinkSpec, Service, ServiceKind
from harness.scenario_files.datasets import Rows
from harness.scenario_files.forms import Choice, Flag, ListOf, Number, Quantity, Text
from harness.scenario_files.keys import Key, Reading, Record
from harness.scenario_files.links import NewLink, review_links
from harness.scenario_files.places import Place
from harness.scenario_files.references import LinkReference, Reference
from harness.scenario_files.structures import Command, MapOf, Request, RequestForm

IDENTIFIER = Text(pattern=r"[a-z][a-z0-9_]*", expected="a name such as 'portal_wi' (a-z, 0-9, _)")
VARIABLE = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", expected="a variable such as 'ATLAS_DB_ADDRESS'")
VARIABLES = MapOf(noun="text", name=VARIABLE, form=Text(may_be_empty=True))
DURATION = Quantity(kind=Kind.DURATION, above=0.0)

_ONLY_COMMAND = ("command", "prepare", "ready", "environment", "events", "chaos", "listener")
_ONLY_POSTGRESQL = ("database", "max_connections")


def _service(*, ready: Request | None = None, **values: Any) -> Service:
    return Service(ready_path=ready.path if ready else None, **values)


def _review_service(reading: Reading, place: Place) -> None:
    if reading.node.get("kind") is not None and "kind" not in reading.values:
        return  # what it was to be is not known
    kind = reading.values.get("kind", ServiceKind.COMMAND)
    is_command = kind is ServiceKind.COMMAND
    for key in _ONLY_POSTGRESQL if is_command else _ONLY_COMMAND:
        if reading.node.get(key) is not None:
            place.at(key).report(reading.node_of(key), f"means nothing to a service of kind {kind}")
    if is_command and reading.node.get("command") is None:
        place.tell(reading.node, f"{place.owner} needs 'command': {Command().expected}")


SERVICE = Record(
    expected="a service with 'command' or 'kind: postgresql'",
    make=_service,
    review=_review_service,
    keys=(
        Key(
            key="kind",
            attribute="kind",
            form=Choice(choices=tuple(ServiceKind), build=ServiceKind),
            doc="a program of the system, or a fresh PostgreSQL cluster",
            default=ServiceKind.COMMAND,
        ),
        Key(
            key="command",
            attribute="command",
            form=Command(),
            doc="program and arguments; the word python means the harness's own interpreter",
            default=(),
        ),
        Key(
            key="prepare",
            attribute="prepare",
            form=ListOf(form=Command(), noun="command"),
            doc="commands that are run once, after its upstreams are ready and before it starts",
            default=(),
        ),
        Key(
            key="ready",
            attribute="ready",
            form=RequestForm(methods=("GET",)),
            doc="answers 200 once the service is ready; without it, a TCP connect does",
            take=lambda service: Request(path=service.ready_path) if service.ready_path else None,
        ),
        Key(
            key="ready_within",
            attribute="ready_within_s",
            form=DURATION,
            doc="bound for becoming ready, in real time",
            default=Service(name="x").ready_within_s,
        ),
        Key(
            key="stop_within",
            attribute="stop_within_s",
            form=DURATION,
            doc="bound for a graceful stop after SIGTERM, in real time",
            default=Service(name="x").stop_within_s,
        ),
        Key(
            key="environment",
            attribute="environment",
            form=VARIABLES,
            doc="extra environment variables",
            default={},
        ),
        Key(
            key="events",
            attribute="events",
            form=Choice(choices=tuple(EventSource), build=EventSource),
            doc="its events: in a file in the folder ATLAS_EVENT_DIR, or live at GET /events",
            default=EventSource.NONE,
        ),
        Key(
            key="chaos",
            attribute="has_chaos",
            form=Flag(),
            doc="whether it has token-protected chaos endpoints under /chaos",
            default=False,
        ),
        Key(
            key="listener",
            attribute="listener",
            form=VARIABLE,
            doc="variable for the descriptor of its listening socket, which outlives a restart",
        ),
        Key(
            key="database",
            attribute="database",
            form=IDENTIFIER,
            doc="name of the database and of its user",
            default=Service(name="x").database,
        ),
        Key(
            key="max_connections",
            attribute="max_connections",
            form=Number(minimum=1, maximum=10_000),
            doc="connection limit of the cluster",
            default=Service(name="x").max_connections,
        ),
    ),
)

LINK = Record(
    expected="a link with its 'variable'",
    make=LinkSpec,
    keys=(
        Key(
            key="variable",
            attribute="variable",
            form=VARIABLE,
            doc="environment variable of the client that holds the server's host:port",
            required=True,
        ),
        Key(
            key="amplification_at_most",
            attribute="amplification_at_most",
            form=Number(minimum=1),
            doc="most requests at the server for one call of the client",
        ),
    ),
)


def _breaker(*, links: Sequence[Link], service: str, **values: Any) -> Breaker:
    foreign = [str(link) for link in links if link.client != service]
    if foreign:
        raise ValueError(f"links: '{foreign[0]}' has another client than the service '{service}'")
    return Breaker(links=tuple(links), service=service, **values)


BREAKER = Record(
    expected="a breaker with 'service', 'links' and 'open_for'",
    make=_breaker,
    keys=(
        Key(
            key="service",
            attribute="service",
            form=Reference(noun="service"),
            doc="the service that holds it",
            required=True,
        ),
        Key(
            key="links",
            attribute="links",
            form=ListOf(form=LinkReference(), noun="link", example="[api -> db]"),
            doc="the links that it protects",
            required=True,
        ),
        Key(
            key="open_for",
            attribute="open_duration_s",
            form=DURATION,
            doc="unscaled time that it stays open",
            required=True,
        ),
        Key(
            key="failures",
            attribute="failure_threshold",
            form=Number(minimum=1),
            doc="consecutive failures that open it",
            default=5,
        ),
        Key(
            key="half_open_at_most",
            attribute="half_open_max_calls",
            form=Number(minimum=1),
            doc="trial calls at the same time while it is half-open",
            default=3,
        ),
    ),
)


SYSTEM_KEYS = (
    Key(
        key="description",
        attribute="description",
        form=Text(),
        doc="one sentence for people",
        default="",
    ),
    Key(
        key="services",
        attribute="services",
        form=MapOf(noun="service", name=IDENTIFIER, form=SERVICE, named="name"),
        doc="the separately startable parts, by name",
        required=True,
        take=lambda system: {service.name: service for service in system.services},
    ),
    Key(
        key="links",
        attribute="links",
        form=MapOf(noun="link", name=NewLink(), form=LINK, named="link", review=review_links),
        doc="who calls whom, where network faults act",
        default={},
        take=lambda system: {spec.link: spec for spec in system.links},
    ),
    Key(
        key="breakers",
        attribute="breakers",
        form=MapOf(
            noun="breaker",
            name=Text(pattern=r"[\w./:-]+", expected="a name such as 'api-server'"),
            form=BREAKER,
            named="name",
        ),
        doc="the circuit breakers that plans and checks may refer to, by their name in events",
        default={},
        take=lambda system: {breaker.name: breaker for breaker in system.breakers},
    ),
    Key(
        key="datasets",
        attribute="datasets",
        form=MapOf(noun="dataset", name=IDENTIFIER, form=Rows(field=IDENTIFIER)),
        doc="named finite lists of values for operations",
        default={},
    ),
)
