"""Turn the descriptors of faults and checks into the keys of their records."""

from typing import Any, assert_never

from harness.model.fields import Field, Kind, fields_of
from harness.scenario_files.forms import Choice, Flag, Form, ListOf, Number, Quantity, Text
from harness.scenario_files.keys import Key
from harness.scenario_files.references import LinkReference, Reference


def keys_of(described: type[Any]) -> tuple[Key, ...]:
    """Return the keys of a fault or a check, from the descriptors of its fields."""
    return tuple(
        Key(
            key=item.key,
            form=form_of(item),
            doc=item.doc,
            attribute=item.attribute,
            required=item.required,
            default=item.default,
        )
        for item in fields_of(described)
    )


def form_of(item: Field) -> Form:
    """Return how a described field is written."""
    match item.kind:
        case Kind.DURATION | Kind.RATE | Kind.RATIO | Kind.SIZE:
            return _quantity(item)
        case Kind.COUNT | Kind.NUMBER | Kind.COUNTS:
            return _number(item)
        case Kind.CHOICE | Kind.CHOICES:
            return _word(item)
        case Kind.SERVICE | Kind.LOAD | Kind.PROBE | Kind.LINK | Kind.TEXT | Kind.FLAG:
            return _plain(item)
        case _:
            assert_never(item.kind)


def _quantity(item: Field) -> Form:
    of_bytes = item.kind is Kind.RATE and item.attribute.endswith("_bytes_per_s")
    minimum = 0.0 if item.minimum is None else item.minimum
    return Quantity(kind=item.kind, of_bytes=of_bytes, minimum=minimum, maximum=item.maximum)


def _number(item: Field) -> Form:
    is_whole = item.kind is not Kind.NUMBER
    number = Number(is_whole=is_whole, minimum=item.minimum, maximum=item.maximum)
    if item.kind is not Kind.COUNTS:
        return number
    return ListOf(form=number, noun="whole number", example="[1, 2]")


def _word(item: Field) -> Form:
    word = Choice(choices=item.choices) if item.choices else Text()
    return word if item.kind is Kind.CHOICE else ListOf(form=word, noun="word")


def _plain(item: Field) -> Form:
    if item.kind is Kind.LINK:
        return LinkReference()
    if item.kind is Kind.FLAG:
        return Flag()
    if item.kind is not Kind.TEXT:
        return Reference(noun=item.kind.value)
    # Breakers and alerts have no kind of their own; a text whose key is their noun names one.
    return Reference(noun=item.key) if item.key in ("breaker", "alert") else Text()
