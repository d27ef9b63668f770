"""The forms of names that refer to something defined elsewhere, with suggestions."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.system import Link
from harness.scenario_files.forms import Schema
from harness.scenario_files.places import Place, Unreadable
from harness.scenario_files.problems import unknown
from harness.scenario_files.yaml_nodes import Node, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The name of something that exists: a service, load, probe, breaker, dataset or check.

    Args:
        noun: What it names.
    """

    noun: str

    @property
    def expected(self) -> str:
        """Return what a file should hold."""
        return f"the name of a {self.noun}"

    def read(self, node: Node, place: Place) -> str | Unreadable:
        """Return the name."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return place.report(node, f"expected {self.expected}, got {node}")
        known = place.names.of(self.noun)
        if known is not None and node.text not in known:
            return place.report(node, unknown(self.noun, node.text, known))
        return node.text

    def write(self, value: str) -> str:
        """Return the name itself."""
        return value

    def schema(self) -> Schema:
        """Return a text; which names exist stands in another file or elsewhere in this one."""
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReference:
    """A link of the system, `client -> server`."""

    expected: str = "a link such as 'api -> db'"

    def read(self, node: Node, place: Place) -> Link | Unreadable:
        """Return the link."""
        if not isinstance(node, Scalar):
            return place.report(node, f"expected {self.expected}, got {node}")
        try:
            link = Link.parse(node.text)
        except ValueError:
            return place.report(node, f"expected {self.expected}, got {node}")
        known = place.names.of("link")
        if known is not None and str(link) not in known:
            return place.report(node, _unknown_link(link, known))
        return link

    def write(self, value: Link) -> str:
        """Return `client -> server`."""
        return str(value)

    def schema(self) -> Schema:
        """Return the pattern of a link."""
        return {"type": "string", "pattern": r"^[^>]+->[^>]+$"}


def _unknown_link(link: Link, known: Sequence[str]) -> str:
    """Return what to say about a link that does not exist, or that was written backwards."""
    turned = str(Link(link.server, link.client))
    if turned in known:
        return f"no link '{link}'; the client stands first: '{turned}'"
    return unknown("link", str(link), known)
