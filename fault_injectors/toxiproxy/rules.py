"""Decide which toxics may be sent to which proxy; nothing unmeant leaves this process.

The vendor's server accepts nearly every value, misreads some and dies of a few
(https://github.com/Shopify/toxiproxy issues 541 and 178, pull request 764).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fault_injectors.toxics import Bandwidth, Latency, Slicer, Toxic
from fault_injectors.toxiproxy.errors import ToxicRefused
from fault_injectors.toxiproxy.values import ProxyKind, check_name

TIME_S_MAX = 3600.0  # a longer delay is a mistake in the unit
RATE_BYTES_PER_S_MAX = 1e12  # 1 TB/s: no loopback is faster


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyCapabilities:
    """What a kind of proxy can do beyond the toxics that both know.

    Args:
        draws_by_seed: A toxicity below 1 gives the same connections again for the same seed.
        records_events: It writes an event file of its own.
        changes_without_blocking: A client that does not read cannot block the control API.
    """

    draws_by_seed: bool
    records_events: bool
    changes_without_blocking: bool


def capabilities(kind: ProxyKind) -> ProxyCapabilities:
    """Return what a kind of proxy can do."""
    is_ours = kind is ProxyKind.EMBEDDED
    return ProxyCapabilities(
        draws_by_seed=is_ours, records_events=is_ours, changes_without_blocking=is_ours
    )


def check_toxic(toxic: Toxic, kind: ProxyKind) -> None:
    """Raise if a toxic may not be sent to a proxy of this kind.

    Raises:
        ToxicRefused: With every reason.
    """
    reasons = list(_reasons(toxic, kind))
    if reasons:
        raise ToxicRefused(f"toxic {toxic.name!r} was not sent: {'; '.join(reasons)}")


def _reasons(toxic: Toxic, kind: ProxyKind) -> Iterator[str]:
    try:
        check_name(toxic.name)
    except ValueError as error:
        yield str(error)
    if toxic.toxicity == 0:
        yield "toxicity=0 acts on nothing; remove the toxic instead"
    if toxic.toxicity < 1 and not capabilities(kind).draws_by_seed:
        yield (
            f"toxicity={toxic.toxicity!r} below 1 cannot be reproduced with the real server, whose "
            "-seed has no effect; use the embedded proxy"
        )
    yield from _value_reasons(toxic)


def _value_reasons(toxic: Toxic) -> Iterator[str]:
    behaviour = toxic.behaviour
    for name in ("delay_s", "jitter_s", "after_s"):
        value = getattr(behaviour, name, 0.0)
        if value > TIME_S_MAX:
            yield f"{name}={value!r} must be at most {TIME_S_MAX!r}"
    match behaviour:
        case Latency() if behaviour.jitter_s > behaviour.delay_s:
            yield f"jitter_s={behaviour.jitter_s!r} must be at most delay_s={behaviour.delay_s!r}"
        case Bandwidth() if behaviour.rate_bytes_per_s > RATE_BYTES_PER_S_MAX:
            yield f"rate_bytes_per_s={behaviour.rate_bytes_per_s!r} must be at most 1e12"
        case Slicer() if behaviour.average_size_bytes < 1:
            yield "average_size_bytes must be at least 1"
        case Slicer() if behaviour.size_variation_bytes >= behaviour.average_size_bytes:
            yield (
                f"size_variation_bytes={behaviour.size_variation_bytes!r} must be below "
                f"average_size_bytes={behaviour.average_size_bytes!r}"
            )
        case _:
            return
