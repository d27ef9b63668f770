"""Links as a system file defines them: between known services, without circles."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.system import Link, LinkSpec
from harness.scenario_files.forms import Schema
from harness.scenario_files.places import Place, Unreadable
from harness.scenario_files.problems import unknown
from harness.scenario_files.structures import Entry
from harness.scenario_files.yaml_nodes import Node, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """The name of a link that is defined here, `client -> server`."""

    expected: str = "a link such as 'api -> db'"

    def read(self, node: Node, place: Place) -> Link | Unreadable:
        """Return the link between two services of the file."""
        if not isinstance(node, Scalar):
            return place.report(node, f"expected {self.expected}, got {node}")
        try:
            link = Link.parse(node.text)
        except ValueError:
            return place.report(node, f"expected {self.expected}, got {node}")
        services = place.names.of("service")
        for end in (link.client, link.server):
            if services is not None and end not in services:
                return place.report(node, unknown("service", end, services))
        if link.client == link.server:
            return place.report(node, f"'{link}' links a service to itself")
        return link

    def write(self, value: Link) -> str:
        """Return `client -> server`."""
        return str(value)

    def schema(self) -> Schema:
        """Return the pattern of a link."""
        return {"type": "string", "pattern": r"^[^>]+->[^>]+$"}


def review_links(entries: Sequence[Entry], place: Place) -> None:
    """Note repeated links, variables that mean two servers, and circles."""
    seen: dict[Link, int] = {}
    holders: dict[tuple[str, str], Link] = {}
    servers: dict[str, list[str]] = {}
    for entry in entries:
        link: Link = entry.name
        if link in seen:
            place.report(entry.node, f"'{link}' is given twice, first in line {seen[link]}")
            continue
        seen[link] = entry.node.line
        if isinstance(entry.value, LinkSpec):
            _review_variable(entry, holders, place)
        circle = _path(servers, link.server, link.client)
        if circle:
            told = " -> ".join([link.client, *circle])
            message = f"the links {told} form a circle; no service could start first"
            place.report(entry.node, message)
            continue
        servers.setdefault(link.client, []).append(link.server)


def _review_variable(entry: Entry, holders: dict[tuple[str, str], Link], place: Place) -> None:
    link, variable = entry.value.link, entry.value.variable
    other = holders.setdefault((link.client, variable), link)
    if other != link:
        message = f"'{link}' and '{other}' have the same variable '{variable}'"
        place.report(entry.node, f"{message}; a client reads one address from it")


def _path(servers: dict[str, list[str]], start: str, end: str) -> list[str]:
    """Return a way from one service to another along the links so far; empty if there is none."""
    ways = [[start]]
    reached = {start}
    while ways:
        way = ways.pop()
        if way[-1] == end:
            return way
        for server in servers.get(way[-1], []):
            if server not in reached:
                reached.add(server)
                ways.append([*way, server])
    return []
