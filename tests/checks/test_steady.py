import dataclasses
import math

import pytest

from harness.checks.steady import is_steady, settled, steady_loads
from harness.model.scenario import ProbeCondition, Settle, SteadyState
from tests.checks.histories import (
    LOOKUPS,
    failed,
    failures,
    ns,
    operation,
    operations,
    probe,
    scenario,
)

WANTED = SteadyState(success_ratio=0.99, latency_p95_s=0.25, needed=20)


def test_a_healthy_load_is_steady():
    answer = is_steady(operations(0, 20), WANTED)

    assert answer.is_steady
    assert (answer.samples, answer.success_ratio) == (80, 1.0)
    assert answer.latency_p95_s == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (operations(0, 4), "only 16 of the 20 operations that it needs"),
        ([], "only 0 of the 20 operations that it needs"),
        ([*operations(0, 20), failed(20)], "success ratio 98.77% is below 99.00%"),
        (operations(0, 20, took=0.4), "p95 of latency 0.400 s is above 0.25 s"),
    ],
)
def test_the_reason_names_the_figure_and_the_bound(seen, reason):
    answer = is_steady(seen, WANTED)

    assert not answer.is_steady
    assert answer.reason == reason


def test_answers_that_never_came_are_slow():
    lost = operations(0, 20, outcome="OK", status=None)

    assert is_steady(lost, WANTED).latency_p95_s == math.inf


def test_the_steady_state_is_about_loads_from_start_to_end_unless_named():
    burst = dataclasses.replace(LOOKUPS, name="burst", count=10)
    later = dataclasses.replace(LOOKUPS, name="later", start_s=5.0)
    loads = (LOOKUPS, burst, later)

    assert steady_loads(scenario(loads=loads)) == ("lookups",)
    named = scenario(loads=loads, steady_state=SteadyState(loads=("burst",)))
    assert steady_loads(named) == ("burst",)


def ask_settled(seen, until, *, probes=(), **more):
    return settled(seen, probes, scenario(**more), since_ns=ns(80), until_ns=ns(until))


def test_it_settles_once_the_hold_was_good_and_not_before():
    seen = [*failures(80, 85), *operations(85, 110)]

    assert not ask_settled(seen, 88).is_steady
    assert ask_settled(seen, 88).reason == "8.0 s of the 10 s that it has to hold"
    assert "success ratio" in ask_settled(seen, 94).reason
    assert ask_settled(seen, 95).is_steady


def test_operations_before_the_settle_phase_do_not_count():
    seen = [*operations(0, 80), *failures(80, 110)]

    assert not ask_settled(seen, 91).is_steady


def test_a_slow_load_is_looked_at_for_longer_than_the_hold():
    slow = operations(80, 110, rate=1.0)

    assert not ask_settled(slow, 95).is_steady  # 15 of 20 operations
    assert ask_settled(slow, 100).is_steady
    assert not ask_settled([failed(80), *slow[1:]], 100).is_steady


def test_conditions_on_probes_hold_too():
    settle = Settle(
        at_most_s=30.0,
        hold_s=10.0,
        until=(ProbeCondition(probe="jobs", value="tasks.open", equals=0),),
    )
    seen = operations(80, 110)
    done = [probe(85, name="jobs", tasks__open=2), probe(90, name="jobs", tasks__open=0)]

    assert ask_settled(seen, 95, settle=settle).reason == "probe jobs has not answered yet"
    waiting = ask_settled(seen, 95, settle=settle, probes=done[:1])
    assert waiting.reason == "jobs: tasks.open is 2, not 0"
    other = ask_settled(seen, 95, settle=settle, probes=[probe(90, name="jobs", x=1)])
    assert other.reason == "the answer of probe jobs has no tasks.open"
    assert ask_settled(seen, 95, settle=settle, probes=done).is_steady


def test_a_named_load_that_has_ended_is_not_waited_for():
    ended = dataclasses.replace(LOOKUPS, duration_s=60.0)
    running = dataclasses.replace(LOOKUPS, duration_s=600.0)
    named = SteadyState(loads=("lookups",))

    assert ask_settled(operations(0, 60), 95, loads=(ended,), steady_state=named).is_steady
    assert not ask_settled(operations(0, 60), 95, loads=(running,), steady_state=named).is_steady
    counted = dataclasses.replace(LOOKUPS, start_s=10.0, count=240)  # ends at 70 s
    longer = dataclasses.replace(LOOKUPS, start_s=10.0, count=320)  # ends at 90 s
    assert ask_settled(operations(10, 70), 95, loads=(counted,), steady_state=named).is_steady
    assert not ask_settled(operations(10, 70), 95, loads=(longer,), steady_state=named).is_steady


def test_loads_that_end_by_themselves_leave_it_to_the_conditions():
    bounded = dataclasses.replace(LOOKUPS, count=10)

    assert ask_settled([operation(1.0)], 95, loads=(bounded,)).is_steady
