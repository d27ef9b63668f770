"""Say where in a file something is read, and which names may be referred to there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from harness.scenario_files.problems import Problems
from harness.scenario_files.yaml_nodes import Node


class Unreadable:
    """Stands for a value that could not be read; the problem is noted already."""


UNREADABLE: Final = Unreadable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names that exist, by noun (`service`, `link`, `load` ...).

    A noun that is missing is not known, e.g. because the system file has problems of its own;
    references to it are then not checked.
    """

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, noun: str) -> tuple[str, ...] | None:
        """Return the names of a noun, None if they are not known."""
        return self.known.get(noun)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is read.

    Args:
        problems: Takes what is wrong.
        names: The names that may be referred to.
        label: The dotted path of keys, e.g. `load.lookups.rate`; empty for the whole file.
        owner: What people call the thing here, e.g. `load 'lookups'`.
    """

    problems: Problems
    names: Names
    label: str = ""
    owner: str = ""

    def at(self, key: str, *, owner: str = "") -> "Place":
        """Return the place of a key in this one."""
        label = f"{self.label}.{key}" if self.label else key
        return replace(self, label=label, owner=owner or label)

    def report(self, node: Node, message: str) -> Unreadable:
        """Note what is wrong with a value; its place stands in front."""
        return self.tell(node, f"{self.label}: {message}" if self.label else message)

    def tell(self, node: Node, message: str) -> Unreadable:
        """Note a whole sentence about a node."""
        self.problems.add(node.line, node.column, message)
        return UNREADABLE
