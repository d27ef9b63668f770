"""Turn frozen values into JSON and back, by the types that they declare."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def thawed(value: Any) -> Any:
    """Return a value made of dataclasses, tuples and mappings as JSON's own types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: thawed(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): thawed(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [thawed(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def frozen(kind: type[T], value: Any) -> T:
    """Return what `thawed` made `value` from; unknown keys are dropped.

    Args:
        kind: A dataclass whose fields are of JSON's types, enumerations, tuples and mappings of
            such, or dataclasses like it; any of them may be None.
        value: What JSON holds.

    Raises:
        TypeError: If a required field is missing.
        ValueError: If an enumeration has no such member.
    """
    made: T = _made(kind, value)
    return made


def _made(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next(argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else _made(inner, value)
    if origin is not None:
        return _made_container(origin, arguments, value)
    if hasattr(kind, "_make"):  # a named tuple, whose fields are of JSON's own types
        return kind._make(value)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return typing.cast("Any", kind)(
            **{name: _made(hint, value[name]) for name, hint in hints.items() if name in value}
        )
    return kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value


def _made_container(origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    if issubclass(origin, Mapping):
        key_kind, item_kind = arguments
        return {_made(key_kind, key): _made(item_kind, item) for key, item in value.items()}
    if arguments[1:] == (Ellipsis,):
        return tuple(_made(arguments[0], item) for item in value)
    return tuple(_made(each, item) for each, item in zip(arguments, value, strict=True))
