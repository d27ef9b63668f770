"""Turn bodies of toxic requests into toxics, all or nothing."""

from collections.abc import Mapping

from fault_injectors.proxy.answers import ApiError
from fault_injectors.proxy.body import BadBody, Fields
from fault_injectors.proxy.live_proxy import InstalledToxic
from fault_injectors.toxics import (
    Behaviour,
    Stream,
    Toxic,
    behaviour_from,
    find_behaviour,
    float32,
)

TOXIC_FIELDS = ("name", "type", "stream", "toxicity", "attributes")
BAD_BODY = "bad request body: {}"
FLOAT32_MAX = 3.4028234663852886e38


def read_new_toxic(value: object, *, taken: tuple[str, ...]) -> InstalledToxic:
    """Return the toxic that a body asks for; errors come in the vendor's order.

    Args:
        value: The JSON value of the body.
        taken: Names that the proxy's toxics have already.

    Raises:
        ApiError: With 400 or 409.
    """
    fields = _fields(value)
    stream_text = _text(fields, "stream", "downstream")
    stream = _stream(stream_text)
    toxic_type = _text(fields, "type", "")
    behaviour_class = find_behaviour(toxic_type)
    if behaviour_class is None:
        raise ApiError(400, "invalid toxic type")
    name = _text(fields, "name", "") or f"{toxic_type}_{stream_text}"
    if name in taken:
        raise ApiError(409, "toxic already exists")
    defaults = dict.fromkeys(behaviour_class.attribute_names, 0)
    attributes = _attributes(fields, toxic_type, defaults)
    behaviour = _behaviour(toxic_type, attributes)
    toxicity = _toxicity(fields, 1.0)
    try:
        toxic = Toxic(name=name, behaviour=behaviour, stream=stream, toxicity=toxicity)
    except ValueError as error:
        raise ApiError(400, str(error)) from error
    return InstalledToxic(toxic=toxic, spelt_stream=stream_text, attributes=attributes)


def read_changed_toxic(value: object, present: InstalledToxic) -> InstalledToxic:
    """Return the toxic with the attributes and the toxicity that a body changes.

    Name, type and stream of the body are ignored, as the vendor does: clients send them along.

    Raises:
        ApiError: With 400; nothing is in force then.
    """
    fields = _fields(value)
    attributes = _attributes(fields, present.toxic_type, present.attributes)
    toxic = Toxic(
        name=present.name,
        behaviour=_behaviour(present.toxic_type, attributes),
        stream=present.toxic.stream,
        toxicity=_toxicity(fields, present.toxic.toxicity),
    )
    return InstalledToxic(toxic=toxic, spelt_stream=present.spelt_stream, attributes=attributes)


def _fields(value: object) -> Fields:
    try:
        return Fields(value, known=TOXIC_FIELDS, where="toxic")
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error


def _text(fields: Fields, name: str, default: str) -> str:
    try:
        return fields.text(name, default)
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error


def _stream(text: str) -> Stream:
    for stream in Stream:
        if text.casefold() == stream.value:
            return stream
    raise ApiError(400, "stream was invalid, can be either upstream or downstream")


def _attributes(fields: Fields, toxic_type: str, present: Mapping[str, int]) -> dict[str, int]:
    try:
        nested = fields.nested("attributes", known=tuple(present), where=toxic_type)
        return {name: nested.whole(name, value) for name, value in present.items()}
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error


def _behaviour(toxic_type: str, attributes: Mapping[str, int]) -> Behaviour:
    try:
        return behaviour_from(toxic_type, attributes)
    except ValueError as error:
        raise ApiError(400, f"{toxic_type}: {error}") from error


def _toxicity(fields: Fields, default: float) -> float:
    try:
        toxicity = fields.number("toxicity", default)
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error
    if abs(toxicity) > FLOAT32_MAX:
        raise ApiError(400, BAD_BODY.format(f"toxicity {toxicity!r} is no 32-bit float"))
    if not 0.0 <= toxicity <= 1.0:
        raise ApiError(400, f"toxicity {toxicity!r} must be in [0, 1]")
    return float32(toxicity)
