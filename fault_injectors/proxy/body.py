"""Read request bodies as the vendor's server does, but refuse what it would ignore.

Keys are matched without regard to case, a later duplicate wins, null keeps the default, and only
the first JSON value counts. An unknown key is an error that names the nearest known one: a
misspelt toxic that injects nothing would make a run green.
"""

import json
from typing import NoReturn

from fault_injectors.toxics import suggestion


class BadBody(Exception):
    """A body that cannot be read; the text says why."""


class JsonObject:
    """A JSON object that keeps order and duplicates of its keys."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


class Fields:
    """The fields of one JSON object by their known names, without those that are null."""

    def __init__(self, value: object, *, known: tuple[str, ...], where: str) -> None:
        self._where = where
        self._values: dict[str, object] = {}
        folded = {name.casefold(): name for name in known}
        for key, content in _pairs(value, where):
            name = folded.get(key.casefold())
            if name is None:
                raise BadBody(f"{where} has no field {key!r}; {suggestion(key, known)}")
            if content is not None:
                self._values[name] = content

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str) -> str:
        """Return a string field."""
        value = self._values.get(name, default)
        if not isinstance(value, str):
            self._refuse(name, "a string", value)
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean field."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            self._refuse(name, "true or false", value)
        return value

    def number(self, name: str, default: float) -> float:
        """Return a number field."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse(name, "a number", value)
        return value if abs(value) < 1e308 else float("inf")  # noqa: PLR2004 - an int may be larger

    def whole(self, name: str, default: int) -> int:
        """Return an integer field; 10.0 and 1e3 are none, as in the vendor's server."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
            self._refuse(name, "a whole number of at most 64 bits", value)
        return value

    def nested(self, name: str, *, known: tuple[str, ...], where: str) -> "Fields":
        """Return an object field; empty if it is missing."""
        return Fields(self._values.get(name), known=known, where=where)

    def objects(self, name: str) -> list[object]:
        """Return a list field, its elements not yet read; empty if it is missing."""
        value = self._values.get(name, [])
        if not isinstance(value, list):
            self._refuse(name, "a list", value)
        return value

    def _refuse(self, name: str, expected: str, value: object) -> NoReturn:
        raise BadBody(f"{self._where}.{name}: expected {expected}, got {_name_of(value)}")


def first_value(body: bytes) -> object:
    """Return the first JSON value of a body; what follows it is not looked at.

    Raises:
        BadBody: If there is none, or it is cut off or malformed.
    """
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise BadBody("EOF")
    try:
        return _DECODER.raw_decode(text)[0]
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        raise BadBody("unexpected EOF" if is_cut else f"json: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise BadBody("json: number or nesting out of bounds") from error


def _pairs(value: object, where: str) -> list[tuple[str, object]]:
    if value is None:
        return []
    if not isinstance(value, JsonObject):
        raise BadBody(f"{where}: expected an object, got {_name_of(value)}")
    return value.pairs


def _name_of(value: object) -> str:
    if isinstance(value, JsonObject):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return json.dumps(value)[:80]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=JsonObject,
    parse_constant=_refuse_constant,
    strict=True,
)
