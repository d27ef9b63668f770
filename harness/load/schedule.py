"""Fix when every operation of a run starts, and with which client and values; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from random import Random

from harness.model.records import NS_PER_S
from harness.model.scenario import Arrivals, Load, Scenario
from harness.model.seeds import derive_rng

ARRIVALS_MAX = 2_000_000  # 500/s for over an hour; more is a mistyped rate, not a run

_DENOMINATOR_MAX = 10**6  # microseconds: finer than any quantity a scenario can write


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One operation that will be offered, whatever the system does.

    Args:
        at_ns: Intended start, ns since the start of the run.
        load: Name of the load that it belongs to.
        call_id: `<load>-<number>`, counted from 0 in each load; the same in every run.
        client: Client id that it is sent as.
        row: Index of its row in the load's dataset; None without a dataset.
    """

    at_ns: int
    load: str
    call_id: str
    client: str
    row: int | None = None


def plan_arrivals(scenario: Scenario, seed: int) -> tuple[Arrival, ...]:
    """Return all arrivals of a run up to its longest possible end, in order of time.

    Each load draws from streams of its own, so no load, fault or time scale moves the draws of
    another. Times are drawn unscaled and scaled last: the n-th arrival is the same at every scale.

    Args:
        scenario: The scenario as it is run, scaled or not.
        seed: The seed of the run.

    Raises:
        ValueError: If a load offers more than `ARRIVALS_MAX` operations.
    """
    arrivals = [found for load in scenario.loads for found in _arrivals(load, scenario, seed)]
    return tuple(sorted(arrivals, key=lambda arrival: arrival.at_ns))


def _arrivals(load: Load, scenario: Scenario, seed: int) -> list[Arrival]:
    rows = len(scenario.system.datasets[load.dataset]) if load.dataset is not None else 0
    clients = _drawn_evenly(load.clients, derive_rng(seed, "load", load.name, "clients"))
    row_rng = derive_rng(seed, "load", load.name, "rows")
    return [
        Arrival(
            at_ns=round(unscaled_s * scenario.time_scale * NS_PER_S),
            load=load.name,
            call_id=f"{load.name}-{number:06d}",
            client=f"c-{next(clients):03d}",
            row=row_rng.randrange(rows) if rows else None,
        )
        for number, unscaled_s in enumerate(_unscaled_starts_s(load, scenario, seed))
    ]


def _unscaled_starts_s(load: Load, scenario: Scenario, seed: int) -> list[Fraction | float]:
    scale = scenario.time_scale
    rate_per_s = _exact(load.rate_per_s * scale)
    start_s = _exact(load.start_s / scale)
    end_s = _exact(scenario.longest_s / scale)
    if load.duration_s is not None:
        end_s = min(end_s, start_s + _exact(load.duration_s / scale))
    offered: Iterator[Fraction | float] = _constant(rate_per_s, start_s, end_s)
    if load.arrivals is Arrivals.POISSON:
        rng = derive_rng(seed, "load", load.name, "arrivals")
        offered = _poisson(float(rate_per_s), float(start_s), float(end_s), rng)
    starts_s = list(islice(offered, ARRIVALS_MAX + 1 if load.count is None else load.count))
    if len(starts_s) > ARRIVALS_MAX:
        raise ValueError(f"load {load.name!r} offers more than {ARRIVALS_MAX} operations")
    return starts_s


def _exact(value: float) -> Fraction:
    """Return the simple fraction behind a float that scaling has moved by a last digit or two.

    Without it `3 s * 0.1 / 0.1` is 3.0000000000000004 s, and one arrival more fits in.

    >>> _exact(3.0 * 0.1 / 0.1)
    Fraction(3, 1)
    """
    return Fraction(value).limit_denominator(_DENOMINATOR_MAX)


def _constant(rate_per_s: Fraction, start_s: Fraction, end_s: Fraction) -> Iterator[Fraction]:
    number = 0
    while (at_s := start_s + number / rate_per_s) < end_s:
        yield at_s
        number += 1


def _poisson(rate_per_s: float, start_s: float, end_s: float, rng: Random) -> Iterator[float]:
    at_s = start_s + rng.expovariate(rate_per_s)
    while at_s < end_s:
        yield at_s
        at_s += rng.expovariate(rate_per_s)


def _drawn_evenly(clients: int, rng: Random) -> Iterator[int]:
    """Yield client numbers without end: every client once, in a drawn order, then again.

    Independent draws would give one client twice its share by chance, and a rate limiter would
    refuse it in the baseline.
    """
    while True:
        yield from rng.sample(range(clients), clients)
