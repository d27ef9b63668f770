"""Turn bodies of proxy requests into what the registry is asked for."""

from fault_injectors.proxy.answers import ApiError
from fault_injectors.proxy.body import BadBody, Fields, first_value
from fault_injectors.proxy.live_proxy import InstalledToxic, LiveProxy
from fault_injectors.proxy.registry import Wanted
from fault_injectors.proxy.toxic_bodies import BAD_BODY, read_new_toxic
from fault_injectors.toxics import is_addressable

PROXY_FIELDS = ("name", "listen", "upstream", "enabled", "Logger", "toxics")


def read_new_proxy(body: bytes) -> Wanted:
    """Return the proxy that a create body asks for.

    Raises:
        ApiError: With 400, or 409 for two toxics of one name.
    """
    fields = _fields(_value(body))
    for name in ("name", "upstream"):
        if not _text(fields, name, ""):
            raise ApiError(400, f"missing required field: {name}")
    return _wanted(fields)


def read_populate(body: bytes) -> list[Wanted]:
    """Return the proxies of a populate body; all are read before any is created.

    Raises:
        ApiError: With 400; the text counts proxies from 1.
    """
    value = _value(body)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ApiError(400, BAD_BODY.format("expected a list of proxies"))
    elements = [_fields(element) for element in value]
    for number, fields in enumerate(elements, start=1):
        for name in ("name", "upstream"):
            if not _text(fields, name, ""):
                raise ApiError(400, f"missing required field: {name} at proxy {number}")
    return [_wanted(fields) for fields in elements]


def read_changed_proxy(body: bytes, present: LiveProxy) -> Wanted:
    """Return what an update body asks for; a missing field keeps its value.

    Name and toxics of the body are ignored, as the vendor does: clients send them along.

    Raises:
        ApiError: With 400.
    """
    fields = _fields(_value(body))
    return Wanted(
        name=present.name,
        listen=_text(fields, "listen", present.listen),
        upstream=_text(fields, "upstream", present.upstream),
        enabled=_flag(fields, default=present.enabled),
    )


def read_toxic_value(body: bytes) -> object:
    """Return the JSON value of a toxic's body.

    Raises:
        ApiError: With 400.
    """
    return _value(body)


def _wanted(fields: Fields) -> Wanted:
    name = _text(fields, "name", "")
    if not is_addressable(name):
        raise ApiError(400, f"name {name!r} could never be addressed: '.', '..' or with a '/'")
    return Wanted(
        name=name,
        listen=_text(fields, "listen", ""),
        upstream=_text(fields, "upstream", ""),
        enabled=_flag(fields, default=True),
        toxics=_toxics(fields),
    )


def _toxics(fields: Fields) -> tuple[InstalledToxic, ...]:
    try:
        values = fields.objects("toxics")
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error
    toxics: list[InstalledToxic] = []
    for value in values:
        toxics.append(read_new_toxic(value, taken=tuple(each.name for each in toxics)))
    return tuple(toxics)


def _value(body: bytes) -> object:
    try:
        return first_value(body)
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error


def _fields(value: object) -> Fields:
    try:
        return Fields(value, known=PROXY_FIELDS, where="proxy")
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error


def _text(fields: Fields, name: str, default: str) -> str:
    try:
        return fields.text(name, default)
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error


def _flag(fields: Fields, *, default: bool) -> bool:
    try:
        return fields.flag("enabled", default=default)
    except BadBody as error:
        raise ApiError(400, BAD_BODY.format(error)) from error
