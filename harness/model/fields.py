"""Describe the fields of faults and checks once: for the parser, the schema, docs and scaling."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")

_KEY = "atlas_field"


class Kind(StrEnum):
    """What a field holds, and so how it is written in YAML."""

    DURATION = "duration"  # `800ms`, `20s`, `5min`; seconds inside
    RATE = "rate"  # `50/s`, `30/min`; per second inside
    RATIO = "ratio"  # `99%` or `0.99`; within [0, 1]
    SIZE = "size"  # `64KiB`, `10MB`; bytes inside
    COUNT = "count"  # a whole number, which has no unit
    COUNTS = "counts"  # a list of whole numbers
    NUMBER = "number"  # a plain number, which has no unit
    LINK = "link"  # `api -> db`
    SERVICE = "service"
    LOAD = "load"
    PROBE = "probe"
    CHOICE = "choice"
    CHOICES = "choices"  # a list of choices
    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a fault or a check.

    Args:
        key: The key in YAML: the attribute without its unit.
        attribute: The name of the dataclass attribute, unit last.
        kind: What it holds.
        doc: One line for `explain` and the reference, lower case, no final stop.
        required: Whether a file has to give it.
        default: The value when it is not given; None if required.
        choices: The allowed words of a CHOICE or CHOICES.
        minimum: Smallest allowed value, in the inside unit.
        maximum: Largest allowed value, in the inside unit.
        is_scaled: Whether `--time-scale` multiplies (durations) or divides (rates) it.
    """

    key: str
    attribute: str
    kind: Kind
    doc: str
    required: bool
    default: Any
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    is_scaled: bool


def meta(  # noqa: PLR0913 -- the descriptors of a field, all but two optional
    kind: Kind,
    doc: str,
    *,
    key: str | None = None,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    is_scaled: bool = True,
) -> Mapping[str, Any]:
    """Return `dataclasses.field` metadata that describes a field for users."""
    described = {
        "kind": kind,
        "doc": doc,
        "key": key,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
        "is_scaled": is_scaled and kind in (Kind.DURATION, Kind.RATE),
    }
    return {_KEY: described}


_UNITS = ("_per_s", "_bytes", "_ratio", "_s")


def _key_of(attribute: str) -> str:
    """Return the YAML key: `delay_s` is written `delay`, its value carries the unit."""
    for unit in _UNITS:
        if attribute.endswith(unit):
            return attribute.removesuffix(unit)
    return attribute


def fields_of(described: type[Any]) -> tuple[Field, ...]:
    """Return the described fields of a dataclass, in order of definition."""
    found = []
    for item in dataclasses.fields(described):
        if _KEY not in item.metadata:
            continue
        about = dict(item.metadata[_KEY])
        factory = item.default_factory
        default = item.default if factory is dataclasses.MISSING else factory()
        required = default is dataclasses.MISSING
        key = about.pop("key") or _key_of(item.name)
        found.append(
            Field(
                key=key,
                attribute=item.name,
                required=required,
                default=None if required else default,
                **about,
            )
        )
    return tuple(found)


def scale_fields(value: T, time_scale: float) -> T:
    """Return a copy whose scaled durations are multiplied and rates divided by `time_scale`."""
    changes: dict[str, float] = {}
    for item in fields_of(type(value)):
        current = getattr(value, item.attribute)
        if not item.is_scaled or current is None:
            continue
        factor = time_scale if item.kind is Kind.DURATION else 1.0 / time_scale
        changes[item.attribute] = current * factor
    return dataclasses.replace(value, **changes) if changes else value  # type: ignore[type-var]
