"""Turn the JSON document of a script into a `Script`, and name every problem with its field."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from shadow_atlas.stand_ins.scripts import Body, Close, Match, RetryAfterForm, Script, What, When

Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)

ScriptProblems = list[str]


class ScriptRejected(ValueError):
    """Says everything that is wrong with a script.

    Args:
        problems: One sentence each, never empty.
    """

    def __init__(self, problems: ScriptProblems) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_script(document: object, *, states: tuple[str, ...], layers: tuple[str, ...]) -> Script:
    """Build the script that a JSON document describes.

    Args:
        document: The parsed document.
        states: States that this stand-in serves; a match on another one would never act.
        layers: Layers that it serves.

    Raises:
        ScriptRejected: If a field is unknown, missing, of a wrong type or out of range.
    """
    if not isinstance(document, Mapping):
        raise ScriptRejected([f"expected a JSON object, got {type(document).__name__}"])
    problems = _unknown_fields(document, {"name", "match", *_WHEN_FIELDS, *_WHAT_FIELDS}, "")
    name = document.get("name")
    if not isinstance(name, str):
        problems.append(f"name: expected a text, got {name!r}")
        name = "unnamed"
    match = _read_match(document.get("match", {}), states, layers, problems)
    when_values = _fields(document, _WHEN_FIELDS, problems)
    what_values = _fields(document, _WHAT_FIELDS, problems)
    when = _build(When, when_values, problems)
    what = _build(What, what_values, problems)
    if when is None or what is None:
        raise ScriptRejected(problems)
    try:
        return Script(name=name, match=match, when=when, what=what)
    except ValueError as error:
        raise ScriptRejected([str(error)]) from error


def script_document(script: Script) -> dict[str, object]:
    """Return the JSON document that describes `script`; reading it gives an equal script.

    Fields that keep their default are left out.
    """
    document: dict[str, object] = {"name": script.name}
    match = {name: getattr(script.match, name) for name in _MATCH_FIELDS}
    named = {name: value for name, value in match.items() if value is not None}
    if named:
        document["match"] = named
    for part in (script.when, script.what):
        for field in fields(part):
            value = getattr(part, field.name)
            if value != field.default:
                document[field.name] = list(value) if isinstance(value, tuple) else value
    return document


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"expected a text, got {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected a whole number, got {value!r}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"expected a number, got {value!r}")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {value!r}")
    return value


def _wholes(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list of whole numbers, got {value!r}")
    return tuple(_whole(member) for member in value)


def _one_of(choices: type[Choice]) -> Callable[[object], Choice]:
    def read(value: object) -> Choice:
        for choice in choices:
            if value == choice.value:
                return choice
        raise TypeError(f"expected one of {', '.join(choices)}, got {value!r}")

    return read


_Reader = Callable[[object], object]

_MATCH_FIELDS: Mapping[str, _Reader] = {
    "state": _text,
    "layer": _text,
    "path": _text,
    "block": _whole,
}
_WHEN_FIELDS: Mapping[str, _Reader] = {
    "attempts": _wholes,
    "probability": _number,
    "first": _whole,
}
_WHAT_FIELDS: Mapping[str, _Reader] = {
    "latency_s": _number,
    "status": _whole,
    "retry_after_s": _number,
    "retry_after_form": _one_of(RetryAfterForm),
    "body": _one_of(Body),
    "bytes_per_s": _number,
    "size_bytes": _whole,
    "error_code": _whole,
    "hang": _flag,
    "page_size": _whole,
    "close": _one_of(Close),
}


def _fields(
    document: Mapping[str, object], readers: Mapping[str, _Reader], problems: ScriptProblems
) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, read in readers.items():
        if document.get(name) is None:  # null and absent both mean "not asked for"
            continue
        try:
            values[name] = read(document[name])
        except TypeError as error:
            problems.append(f"{name}: {error}")
    return values


def _build(
    build: Callable[..., Value], values: Mapping[str, object], problems: ScriptProblems
) -> Value | None:
    if problems:  # a value built from half of the fields would only add misleading problems
        return None
    try:
        return build(**values)
    except ValueError as error:
        problems.append(str(error))
        return None


def _read_match(
    document: object, states: tuple[str, ...], layers: tuple[str, ...], problems: ScriptProblems
) -> Match:
    if not isinstance(document, Mapping):
        problems.append(f"match: expected an object, got {document!r}")
        return Match()
    problems.extend(_unknown_fields(document, set(_MATCH_FIELDS), "match."))
    values = _fields(document, _MATCH_FIELDS, problems)
    for name, known in (("state", states), ("layer", layers)):
        if name in values and values[name] not in known:
            expected = f"expected one of {', '.join(known)}" if known else "there is none here"
            problems.append(f"match.{name}: {expected}, got {values[name]!r}")
    return _build(Match, values, problems) or Match()


def _unknown_fields(document: Mapping[str, object], known: set[str], prefix: str) -> ScriptProblems:
    problems = []
    for name in sorted(set(document) - known):
        near = get_close_matches(str(name), sorted(known), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; expected {', '.join(sorted(known))}"
        problems.append(f"unknown field '{prefix}{name}'{hint}")
    return problems
