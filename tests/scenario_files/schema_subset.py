"""Judge a value by the part of JSON Schema that our schemas use; anything else is an error."""

import re
from collections.abc import Callable
from typing import Any

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
ANNOTATIONS = {"$schema", "title", "description"}


def conforms(value: Any, schema: dict[str, Any]) -> bool:
    """Say whether `value` conforms to `schema`."""
    return all(RULES[key](value, schema) for key in schema if key not in ANNOTATIONS)


def _type(value: Any, schema: dict[str, Any]) -> bool:
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(TYPES[name](value) for name in names)


def _properties(value: Any, schema: dict[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    known = schema["properties"]
    return all(conforms(item, known[key]) for key, item in value.items() if key in known)


def _additional(value: Any, schema: dict[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    more = [item for key, item in value.items() if key not in schema.get("properties", {})]
    allowed = schema["additionalProperties"]
    return not more if allowed is False else all(conforms(item, allowed) for item in more)


def _names(value: Any, schema: dict[str, Any]) -> bool:
    return not isinstance(value, dict) or all(
        conforms(key, schema["propertyNames"]) for key in value
    )


def _pattern(value: Any, schema: dict[str, Any]) -> bool:
    return not isinstance(value, str) or re.search(schema["pattern"], value) is not None


def _number(value: Any) -> bool:
    return TYPES["number"](value)


RULES: dict[str, Callable[[Any, dict[str, Any]], bool]] = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "pattern": _pattern,
    "required": lambda v, s: not isinstance(v, dict) or all(key in v for key in s["required"]),
    "minProperties": lambda v, s: not isinstance(v, dict) or len(v) >= s["minProperties"],
    "items": lambda v, s: not isinstance(v, list) or all(conforms(i, s["items"]) for i in v),
    "minItems": lambda v, s: not isinstance(v, list) or len(v) >= s["minItems"],
    "minLength": lambda v, s: not isinstance(v, str) or len(v) >= s["minLength"],
    "minimum": lambda v, s: not _number(v) or v >= s["minimum"],
    "maximum": lambda v, s: not _number(v) or v <= s["maximum"],
    "enum": lambda v, s: v in s["enum"],
    "const": lambda v, s: v == s["const"],
    "anyOf": lambda v, s: any(conforms(v, one) for one in s["anyOf"]),
    "oneOf": lambda v, s: sum(conforms(v, one) for one in s["oneOf"]) == 1,
}
