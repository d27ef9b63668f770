"""Read YAML 1.2 as nodes that know where they stand; refuse what hides where a value is from.

Scalars keep their text, because a quantity such as `20s` and a number are read by what the key
expects. Only the events of ruamel.yaml are used: they carry positions of keys and values, and
nothing is constructed from a tag.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from harness.scenario_files.problems import Problems
from harness.scenario_files.source import position_after

DEPTH_MAX = 20  # a scenario needs six; a deeper one is not written by people

_Value = str | int | float | bool | None

_CORE_SCHEMA: tuple[tuple[re.Pattern[str], Callable[[str], _Value]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _text: None),
    (re.compile(r"true|True|TRUE"), lambda _text: True),
    (re.compile(r"false|False|FALSE"), lambda _text: False),
    (re.compile(r"[-+]?[0-9]{1,1000}"), int),  # bounded: Python refuses to read longer ones
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (
        re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
        lambda text: float(text.replace(".", "")),
    ),
)
"""What plain scalars mean (YAML 1.2.2, section 10.3.2), without octal and hexadecimal numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text, number, truth value or nothing, as it stands in the file."""

    line: int
    column: int
    text: str
    is_plain: bool = True

    @property
    def value(self) -> _Value:
        """Return what the core schema of YAML 1.2 takes it for; quoted, it is a text."""
        if not self.is_plain:
            return self.text
        for pattern, read in _CORE_SCHEMA:
            if pattern.fullmatch(self.text):
                return read(self.text)
        return self.text

    def __str__(self) -> str:
        if self.value is None:
            return "nothing"
        shown = self.text if len(self.text) <= 60 else f"{self.text[:57]}..."  # noqa: PLR2004 -- a line
        return repr(shown) if isinstance(self.value, str) else shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNode:
    """A sequence."""

    line: int
    column: int
    items: "tuple[Node, ...]"

    def __str__(self) -> str:
        return "a list" if self.items else "an empty list"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapNode:
    """A mapping; its keys are unique and stand in the order of the file."""

    line: int
    column: int
    entries: "tuple[tuple[Scalar, Node], ...]"

    def __str__(self) -> str:
        return "a mapping" if self.entries else "an empty mapping"

    def get(self, key: str) -> "Node | None":
        """Return the value of a key, None if it is not given."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | ListNode | MapNode


def read_node(text: str, problems: Problems) -> Node | None:
    """Return the root of the one document in `text`; None if it cannot be read.

    Problems with the notation (syntax, anchors, tags, repeated keys) are added to `problems`.
    """
    builder = _Builder(problems)
    try:
        for event in _events(text):
            builder.take(event)
    except _TooDeep as deep:
        problems.add(deep.line, deep.column, f"nested deeper than {DEPTH_MAX} levels")
    except ReaderError as error:
        line, column = position_after(text[: error.position])
        problems.add(
            line, column, f"the character {_shown(error.character)} is not allowed in YAML"
        )
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problems.add(line, column, _syntax_message(error))
    except (YAMLError, ValueError, OverflowError) as error:  # the last two: escapes out of range
        problems.add(1, 1, f"not YAML: {error}")
    else:
        return builder.root
    return None


def _events(text: str) -> Iterator[Event]:
    events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
    return events


def _shown(character: int | bytes | str) -> str:
    return repr(chr(character) if isinstance(character, int) else character)


def _syntax_message(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context)
    if "\\t" in problem:
        return "a tab cannot indent YAML; use spaces"
    if "<block" in problem:  # the parser's word for a list or mapping that indentation makes
        return "not YAML: this line is indented unlike those before it"
    if problem.startswith("mapping values"):
        return f"not YAML: {problem}; look for a wrong indentation, or quote a text with ': '"
    return f"not YAML: {problem}"


class _TooDeep(Exception):
    """Nesting that nobody writes; reading on would take time quadratic in the depth."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__()
        self.line = line
        self.column = column


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun."""

    line: int
    column: int
    is_map: bool
    nodes: list[Node] = field(default_factory=list)


class _Builder:
    """Put events together to nodes, without recursion."""

    def __init__(self, problems: Problems) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._open: list[_Open] = []
        self._anchored: dict[str | None, Scalar] = {}
        self._documents = 0

    def take(self, event: Event) -> None:
        """Take the next event of the stream."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, DocumentStartEvent):
            self._start_document(event, line, column)
        elif isinstance(event, AliasEvent):
            message = f"the alias '*{event.anchor}' is not allowed; write the value out"
            self._problems.add(line, column, message)
            # A scalar is taken as if it stood here, so that nothing else is told about it.
            meant = self._anchored.get(event.anchor, Scalar(line=line, column=column, text=""))
            self._put(replace(meant, line=line, column=column))
        elif isinstance(event, ScalarEvent):
            self._refuse_decoration(event, line, column)
            is_plain = event.style not in {"'", '"', "|", ">"}
            scalar = Scalar(line=line, column=column, text=event.value, is_plain=is_plain)
            self._anchored[event.anchor] = scalar
            self._put(scalar)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._refuse_decoration(event, line, column)
            self._start(_Open(line, column, is_map=isinstance(event, MappingStartEvent)))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._end()

    def _start_document(self, event: DocumentStartEvent, line: int, column: int) -> None:
        self._documents += 1
        if self._documents == 2:  # noqa: PLR2004 -- the first one too many
            self._problems.add(line, column, "a file holds one document; this is a second one")
        if event.tags or event.version not in {None, (1, 2)}:
            self._problems.add(line, column, "directives are not allowed; this is YAML 1.2")

    def _refuse_decoration(
        self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, line: int, column: int
    ) -> None:
        if event.anchor is not None:
            message = f"the anchor '&{event.anchor}' is not allowed; write the value out"
            self._problems.add(line, column, message)
        if event.tag is not None:
            message = "tags are not allowed; the key says what a value is"
            self._problems.add(line, column, message)

    def _start(self, opened: _Open) -> None:
        if len(self._open) == DEPTH_MAX:
            raise _TooDeep(opened.line, opened.column)
        self._open.append(opened)

    def _end(self) -> None:
        done = self._open.pop()
        if done.is_map:
            entries = self._entries(done.nodes)
            self._put(MapNode(line=done.line, column=done.column, entries=entries))
        else:
            items = tuple(done.nodes)
            self._put(ListNode(line=done.line, column=done.column, items=items))

    def _put(self, node: Node) -> None:
        if self._open:
            self._open[-1].nodes.append(node)
        elif self.root is None:
            self.root = node

    def _entries(self, nodes: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=False):
            if not isinstance(key, Scalar):
                self._problems.add(key.line, key.column, f"a key must be a text, got {key}")
            elif key.text == "<<" and key.is_plain:
                message = "merge keys are not allowed; write the keys out"
                self._problems.add(key.line, key.column, message)
            elif key.text in entries:
                first = entries[key.text][0].line
                message = f"'{key.text}' is given twice, first in line {first}"
                self._problems.add(key.line, key.column, message)
            else:
                entries[key.text] = (key, _beside(key, value))
        return tuple(entries.values())


def _beside(key: Scalar, value: Node) -> Node:
    """Return the value; one that is not there stands where its key does."""
    if isinstance(value, Scalar) and value.is_plain and not value.text:
        return replace(value, line=key.line, column=key.column)
    return value
