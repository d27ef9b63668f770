"""The record of a load, and what only makes sense together with its system."""

import re
from collections.abc import Iterator
from typing import Any

from harness.model.fields import Kind
from harness.model.scenario import Arrivals, Load, Reuse
from harness.model.system import ServiceKind, System
from harness.scenario_files.forms import Choice, ListOf, Number, Quantity
from harness.scenario_files.keys import Key, Reading, Record
from harness.scenario_files.places import Place
from harness.scenario_files.problems import unknown
from harness.scenario_files.references import Reference
from harness.scenario_files.structures import Json, Request, RequestForm
from harness.scenario_files.yaml_nodes import ListNode, MapNode, Node, Scalar

_DURATION = Quantity(kind=Kind.DURATION, above=0.0)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _load(*, request: Request, **values: Any) -> Load:
    return Load(method=request.method, path=request.path, **values)


LOAD_KEYS = (
    Key(
        key="service",
        attribute="service",
        form=Reference(noun="service"),
        doc="the service that is asked, directly and not through a fault proxy",
        required=True,
    ),
    Key(
        key="request",
        attribute="request",
        form=RequestForm(),
        doc="method and path; {field} is replaced by a value of the dataset",
        required=True,
        take=lambda load: Request(method=load.method, path=load.path),
    ),
    Key(
        key="body",
        attribute="body",
        form=Json(),
        doc="JSON body, with {field} replaced in its texts",
    ),
    Key(
        key="dataset",
        attribute="dataset",
        form=Reference(noun="dataset"),
        doc="dataset of the system that values are drawn from",
    ),
    Key(
        key="rate",
        attribute="rate_per_s",
        form=Quantity(kind=Kind.RATE, above=0.0),
        doc="arrivals, whatever the system answers (open loop)",
        required=True,
    ),
    Key(
        key="arrivals",
        attribute="arrivals",
        form=Choice(choices=tuple(Arrivals), build=Arrivals),
        doc="how arrivals are spread",
        default=Arrivals.CONSTANT,
    ),
    Key(
        key="clients",
        attribute="clients",
        form=Number(minimum=1, maximum=1_000_000),
        doc="number of client ids that operations are drawn from",
        default=1,
    ),
    Key(
        key="reuse",
        attribute="reuse",
        form=Choice(choices=tuple(Reuse), build=Reuse),
        doc="pooled connections, or a fresh one for each request",
        default=Reuse.POOLED,
    ),
    Key(
        key="start",
        attribute="start_s",
        form=Quantity(kind=Kind.DURATION),
        doc="when it starts, since the start of the run",
        default=0.0,
    ),
    Key(
        key="for",
        attribute="duration_s",
        form=_DURATION,
        doc="its length; without it and count, to the end of the run",
    ),
    Key(
        key="count",
        attribute="count",
        form=Number(minimum=1, maximum=10_000_000),
        doc="ends after so many arrivals",
    ),
    Key(
        key="patience",
        attribute="timeout_s",
        form=_DURATION,
        doc="the client's timeout, in real time; then the outcome is UNKNOWN",
        default=10.0,
    ),
    Key(
        key="expect_status",
        attribute="expect_status",
        form=ListOf(form=Number(minimum=100, maximum=599), noun="status", example="[200, 404]"),
        doc="statuses that count as OK; without it any 2xx",
        default=(),
    ),
)


def load_record(system: System | None) -> Record:
    """Return the record of a load; without a system, references into it are not checked."""

    def review(reading: Reading, place: Place) -> None:
        if reading.node.get("for") is not None and reading.node.get("count") is not None:
            message = f"{place.owner}: 'for' and 'count' exclude each other; give one of them"
            place.tell(reading.node_of("count"), message)
        if system is not None:
            _review_service(reading, system, place)
            _review_placeholders(reading, system, place)

    return Record(
        keys=LOAD_KEYS,
        make=_load,
        review=review,
        expected="a load with 'service', 'request' and 'rate'",
    )


def _review_service(reading: Reading, system: System, place: Place) -> None:
    name = reading.values.get("service")
    if name is not None and system.service(name).kind is not ServiceKind.COMMAND:
        message = f"'{name}' is a PostgreSQL cluster, which answers no HTTP request"
        place.at("service").report(reading.node_of("service"), message)


def _review_placeholders(reading: Reading, system: System, place: Place) -> None:
    dataset = reading.values.get("dataset")
    if dataset is None and reading.node.get("dataset") is not None:
        return  # its name is a problem already
    fields = tuple(system.datasets[dataset][0]) if dataset is not None else ()
    for key in ("request", "body"):
        node = reading.node.get(key)
        for text in _texts(node) if node is not None else ():
            for name in _PLACEHOLDER.findall(text.text):
                if dataset is None:
                    message = f"uses {{{name}}}, but {place.owner} has no 'dataset' to draw it from"
                    place.at(key).report(text, message)
                elif name not in fields:
                    message = unknown(f"field of dataset '{dataset}' called", name, fields)
                    place.at(key).report(text, message)


def _texts(node: Node) -> Iterator[Scalar]:
    """Yield the texts of a value, those in which placeholders are replaced."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _texts(item)
    elif isinstance(node, MapNode):
        for _, value in node.entries:
            yield from _texts(value)
