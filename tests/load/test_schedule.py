"""Laws of the schedule: what it may depend on, and what it must not."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from harness.load import schedule
from harness.load.schedule import plan_arrivals
from harness.model.records import NS_PER_S
from harness.model.scaling import scaled
from harness.model.scenario import Arrivals, Load
from tests.load.scenarios import load, scenario

seeds = st.integers(min_value=0, max_value=2**63)
kinds = st.sampled_from(Arrivals)
time_scales = st.integers(min_value=1, max_value=1000).map(lambda thousandths: thousandths / 1000)
tenths_s = st.integers(min_value=1, max_value=100).map(lambda tenths: tenths / 10)
rates_per_s = st.integers(min_value=6, max_value=1800).map(lambda per_minute: per_minute / 60)


def loads() -> st.SearchStrategy[Load]:
    return st.builds(
        load,
        arrivals=kinds,
        rate_per_s=rates_per_s,
        start_s=tenths_s,
        duration_s=st.none() | tenths_s,
        count=st.none() | st.integers(min_value=0, max_value=200),
        clients=st.integers(min_value=1, max_value=20),
    )


@settings(deadline=None)
@given(loads(), seeds, time_scales, tenths_s)
def test_draws_are_equal_at_all_time_scales(
    offered: Load, seed: int, time_scale: float, baseline_s: float
):
    unscaled = scenario(offered, baseline_s=baseline_s)

    whole = plan_arrivals(unscaled, seed)
    short = plan_arrivals(scaled(unscaled, time_scale), seed)

    assert [(a.call_id, a.client, a.row) for a in short] == [
        (a.call_id, a.client, a.row) for a in whole
    ]
    assert [a.at_ns for a in short] == pytest.approx(
        [a.at_ns * time_scale for a in whole],
        abs=2,  # ns: both are rounded
    )


@pytest.mark.parametrize("rate_per_s", [3.0, 10.0, 50.0, 100 / 60])
def test_arrival_at_the_very_end_is_outside_at_every_scale(rate_per_s: float):
    whole = scenario(load(rate_per_s=rate_per_s, duration_s=3.0, clients=1))

    counts = {
        len(plan_arrivals(scaled(whole, thousandths / 1000), 1))
        for thousandths in range(1, 1001, 7)
    }

    assert counts == {round(rate_per_s * 3.0)}


@settings(deadline=None)
@given(loads(), seeds)
def test_same_seed_gives_the_same_arrivals(offered: Load, seed: int):
    assert plan_arrivals(scenario(offered), seed) == plan_arrivals(scenario(offered), seed)


@settings(deadline=None)
@given(loads(), loads(), seeds)
def test_another_load_moves_no_arrival(offered: Load, other: Load, seed: int):
    alone = scenario(offered)
    both = scenario(offered, load("other", arrivals=other.arrivals, duration_s=1.0))

    found = [arrival for arrival in plan_arrivals(both, seed) if arrival.load == offered.name]

    assert found == list(plan_arrivals(alone, seed))


def test_loads_of_one_shape_do_not_march_in_step():
    shape: dict[str, Any] = {"arrivals": Arrivals.POISSON, "clients": 20, "count": 40}
    found = plan_arrivals(scenario(load("a", **shape), load("b", **shape), settle_s=100.0), 1)

    first, second = ([a for a in found if a.load == name] for name in ("a", "b"))
    assert [a.at_ns for a in first] != [a.at_ns for a in second]
    assert [a.client for a in first] != [a.client for a in second]
    assert [a.row for a in first] != [a.row for a in second]


@settings(deadline=None)
@given(loads(), seeds)
def test_arrivals_are_in_order_and_within_the_load(offered: Load, seed: int):
    planned = scenario(offered)

    times_ns = [arrival.at_ns for arrival in plan_arrivals(planned, seed)]

    end_s = planned.longest_s
    if offered.duration_s is not None:
        end_s = min(end_s, offered.start_s + offered.duration_s)
    assert times_ns == sorted(times_ns)
    assert all(offered.start_s * NS_PER_S <= at_ns + 1 for at_ns in times_ns)
    assert all(at_ns <= end_s * NS_PER_S + 1 for at_ns in times_ns)


@given(st.integers(min_value=1, max_value=30), seeds)
def test_no_client_is_drawn_twice_as_often_as_another(clients: int, seed: int):
    offered = load(clients=clients, count=4 * clients, rate_per_s=100.0)

    drawn = Counter(arrival.client for arrival in plan_arrivals(scenario(offered), seed))

    assert drawn == {f"c-{number:03d}": 4 for number in range(clients)}


def test_constant_arrivals_stand_at_even_distances_from_the_start():
    offered = load(rate_per_s=4.0, start_s=1.0, duration_s=1.0)

    found = plan_arrivals(scenario(offered), 1)

    assert [arrival.at_ns / NS_PER_S for arrival in found] == [1.0, 1.25, 1.5, 1.75]
    assert [arrival.call_id for arrival in found][:2] == ["lookups-000000", "lookups-000001"]


def test_poisson_arrivals_come_at_the_given_rate():
    offered = load(rate_per_s=100.0, arrivals=Arrivals.POISSON)

    found = plan_arrivals(scenario(offered, baseline_s=100.0, settle_s=0.0), 7)

    assert abs(len(found) - 10_000) < 500  # five standard deviations of Poisson(10,000)


def test_kind_of_arrivals_does_not_move_clients_and_rows():
    constant = plan_arrivals(scenario(load(count=50)), 3)
    poisson = plan_arrivals(scenario(load(count=50, arrivals=Arrivals.POISSON)), 3)

    assert [(a.client, a.row) for a in constant] == [(a.client, a.row) for a in poisson]


def test_load_without_dataset_draws_no_row():
    assert {a.row for a in plan_arrivals(scenario(load(dataset=None)), 1)} == {None}


def test_more_arrivals_than_can_be_meant_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule, "ARRIVALS_MAX", 10)

    with pytest.raises(ValueError, match="'lookups' offers more than 10 operations"):
        plan_arrivals(scenario(load()), 1)
