"""The JSON Schema of `summary.json`, made from the values that are written into it."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from harness.model.verdict import Verdict
from harness.reporting.run_report import SCHEMA_VERSION, RunReport

_PLAIN: Mapping[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    types.NoneType: "null",
}


def summary_schema() -> dict[str, Any]:
    """Return the schema, JSON Schema 2020-12.

    Programs may rely on what it requires until `schema` grows; keys that are not in it may come.
    """
    run = schema_of(RunReport)
    run["properties"] |= {"schema": {"const": SCHEMA_VERSION}, "replay": {"type": "string"}}
    run["required"] = sorted([*run["required"], "schema", "replay"])
    count = {"type": "integer", "minimum": 0}
    counts = {str(verdict): count for verdict in Verdict}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "summary.json of atlas-chaos",
        "type": "object",
        "properties": {
            "schema": {"const": SCHEMA_VERSION},
            "verdict": schema_of(Verdict),
            "counts": {"type": "object", "properties": counts, "required": sorted(counts)},
            "runs": {"type": "array", "items": run},
        },
        "required": ["counts", "runs", "schema", "verdict"],
    }


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the schema of a declared type: a dataclass, enumeration, collection or plain one.

    Raises:
        KeyError: If there is no rule for it.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [schema_of(argument) for argument in arguments]}
    if origin is tuple:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        properties = {name: schema_of(hint) for name, hint in hints.items()}
        return {"type": "object", "properties": properties, "required": sorted(properties)}
    is_plain = kind in _PLAIN
    return {"type": _PLAIN[kind]} if is_plain else {"enum": [member.value for member in kind]}
