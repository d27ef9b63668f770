"""Turn what a proxy answers into values, and compare it with what was asked for."""

from collections.abc import Mapping

from fault_injectors.toxics import Stream, Toxic, behaviour_from, float32
from fault_injectors.toxiproxy.errors import ProxyUnreachable, ReadBackDiffers
from fault_injectors.toxiproxy.values import Proxy


def read_proxy(value: object) -> Proxy:
    """Return the proxy that an answer shows.

    Raises:
        ProxyUnreachable: If the answer does not have the API's shape.
    """
    fields = _object(value)
    try:
        return Proxy(
            name=str(fields["name"]),
            listen=str(fields["listen"]),
            upstream=str(fields["upstream"]),
            enabled=fields["enabled"] is True,
        )
    except (KeyError, ValueError) as error:
        raise ProxyUnreachable(f"an answer that shows no proxy of ours: {error!r}") from error


def read_proxies(value: object) -> tuple[Proxy, ...]:
    """Return the proxies that an answer lists, by name.

    Raises:
        ProxyUnreachable: If the answer does not have the API's shape.
    """
    return tuple(read_proxy(each) for _, each in sorted(_object(value).items()))


def read_toxics(value: object) -> tuple[Toxic, ...]:
    """Return the toxics that an answer lists, in its order.

    Raises:
        ProxyUnreachable: If the answer does not have the API's shape.
    """
    if not isinstance(value, list):
        raise ProxyUnreachable(f"an answer that is no list of toxics: {value!r:.80}")
    return tuple(_read_toxic(_object(each)) for each in value)


def compare_proxy(expected: Proxy, got: Proxy) -> None:
    """Raise unless `got` is what was asked for; a listen port of 0 stands for any.

    Raises:
        ReadBackDiffers: With both.
    """
    same_port = expected.address[1] in {0, got.address[1]}
    asked = (expected.name, expected.upstream, expected.enabled, True)
    if asked != (got.name, got.upstream, got.enabled, same_port):
        raise ReadBackDiffers(f"asked for {expected}, read back {got}")


def compare_toxic(expected: Toxic, listed: tuple[Toxic, ...]) -> None:
    """Raise unless a toxic is in the list with every field as asked for.

    Toxicity is compared as the float32 that the API keeps.

    Raises:
        ReadBackDiffers: With what was expected and what was found.
    """
    for got in listed:
        if got.name == expected.name:
            if _facets(got) == _facets(expected):
                return
            raise ReadBackDiffers(f"asked for {expected}, read back {got}")
    raise ReadBackDiffers(f"asked for {expected}, which is not in the list")


def _facets(toxic: Toxic) -> tuple[object, ...]:
    behaviour = toxic.behaviour
    return (
        behaviour.toxic_type,
        behaviour.attributes(),
        toxic.stream,
        float32(toxic.toxicity),
    )


def _read_toxic(fields: Mapping[str, object]) -> Toxic:
    try:
        attributes = {name: _whole(each) for name, each in _object(fields["attributes"]).items()}
        return Toxic(
            name=str(fields["name"]),
            behaviour=behaviour_from(str(fields["type"]), attributes),
            stream=Stream(str(fields["stream"])),
            toxicity=float(str(fields["toxicity"])),
        )
    except (KeyError, ValueError) as error:
        raise ProxyUnreachable(f"an answer that shows no toxic of ours: {error!r}") from error


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no whole number")  # noqa: TRY004 - read as a malformed answer
    return value


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ProxyUnreachable(f"an answer that is no object: {value!r:.80}")
    return value
