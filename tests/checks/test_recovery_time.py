import dataclasses
from random import Random

import pytest

from harness.checks.change_point import change_point
from harness.checks.recovery import recovery_of, slo_of
from harness.checks.recovery_time import RecoveryTime
from harness.model.scenario import SteadyState
from harness.model.verdict import Verdict
from tests.checks.histories import (
    LOOKUPS,
    ask,
    failed,
    failures,
    fault,
    history,
    mixed,
    operation,
    operations,
    phases,
    times,
)

CHECK = RecoveryTime(load="lookups", at_most_s=15.0)  # heal at 80 s: judged from 95 s to 105 s


def test_a_service_that_never_recovers_fails_without_a_figure():
    found = ask(CHECK, phases(), fault(), operations(0, 20), failures(20, 110))

    assert found.verdict is Verdict.FAILED
    assert found.value is None
    assert found.got.startswith("not recovered: > 29.750 s; 0 of 40 operations were good")
    assert found.at_ns == 95_000_000_000


def test_a_service_that_recovers_in_time_passes_with_its_time():
    found = ask(CHECK, phases(), fault(), operations(0, 20), failures(20, 85), operations(85, 110))

    assert found.verdict is Verdict.PASSED
    assert found.value == pytest.approx(5.0)
    assert found.limit == 15.0
    assert "recovered after 4.750 to 5.000 s" in found.got


def test_a_service_that_recovers_too_late_fails():
    found = ask(CHECK, phases(), fault(), operations(0, 20), failures(20, 98), operations(98, 110))

    assert found.verdict is Verdict.FAILED
    assert found.value == pytest.approx(18.0)


def test_a_slow_load_decides_nothing():
    found = ask(CHECK, phases(), fault(), operations(0, 110, rate=0.5))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (5, 30)


def test_a_run_that_settled_before_the_bound_is_judged_by_its_last_hold():
    found = ask(
        CHECK,
        phases(run_end=93),
        fault(),
        operations(0, 20),
        failures(20, 82),
        operations(82, 93),
    )

    assert found.verdict is Verdict.PASSED
    assert "from 83.000 s to 93.000 s" in found.got


def test_a_run_that_ended_bad_before_the_bound_decides_nothing():
    found = ask(CHECK, phases(run_end=93), fault(), operations(0, 20), failures(20, 93))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "let settle go on" in found.reason


def test_a_run_that_ended_bad_just_after_the_bound_fails():
    found = ask(CHECK, phases(run_end=101), fault(), operations(0, 20), failures(20, 101))

    assert found.verdict is Verdict.FAILED


def test_a_load_that_ends_at_the_heal_decides_nothing():
    bounded = dataclasses.replace(LOOKUPS, duration_s=85.0)

    found = ask(CHECK, phases(), fault(), operations(0, 85), loads=(bounded,))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "before it could hold for 10 s" in found.reason


def test_without_a_fault_there_is_no_recovery():
    found = ask(CHECK, phases(), operations(0, 110))

    assert found.verdict is Verdict.INCONCLUSIVE


def test_answers_of_a_fallback_are_not_recovery_unless_asked_for():
    stale = [operation(t, source="stale_cache") for t in times(20, 110)]
    parts = (phases(), fault(), operations(0, 20), stale)

    assert ask(CHECK, *parts).verdict is Verdict.FAILED
    assert ask(dataclasses.replace(CHECK, source="any"), *parts).verdict is Verdict.PASSED


def test_answers_slower_than_the_steady_state_are_not_recovery():
    slow = operations(80, 110, took=0.9)
    steady = SteadyState(success_ratio=0.99, latency_p95_s=0.25)

    found = ask(CHECK, phases(), fault(), operations(0, 80), slow, steady_state=steady)

    assert found.verdict is Verdict.FAILED


def test_a_plateau_at_seventy_percent_is_no_recovery():
    found = ask(CHECK, phases(), fault(), operations(0, 80), mixed(120, 84, start=80))

    assert found.verdict is Verdict.FAILED
    assert found.value is None


def test_a_single_bad_operation_is_no_outage():
    found = ask(
        CHECK, phases(), fault(), operations(0, 100), [failed(100)], operations(100.25, 110)
    )

    assert found.value == 0.0


def _run(rng: Random, *, during: float, background: float, rate: float = 50.0, true: float = 3.0):
    """Return the estimated recovery time of a simulated run: heal at 80 s, recovery at 83 s."""

    def outcome(t: float):
        good = 1.0 - background if t < 20 or t >= 80 + true else during
        return operation(t) if rng.random() < good else failed(t)

    seen = history(phases(), fault(), [outcome(t) for t in times(70, 90, rate)])
    estimate, _ = recovery_of(seen, "lookups", SteadyState(success_ratio=0.99), "primary")
    return estimate


@pytest.mark.parametrize(
    ("during", "background"),
    [(0.0, 0.0), (0.0, 0.01), (0.3, 0.0), (0.3, 0.01)],
    ids=["clean", "1 % background errors", "30 % ok during the fault", "both"],
)
def test_the_estimate_is_unbiased_to_a_few_operations(during, background):
    rng = Random(7)

    errors = [_run(rng, during=during, background=background) - 3.0 for _ in range(40)]

    mean_s = sum(errors) / len(errors)
    assert abs(mean_s) <= 0.1  # five operations; "windows good to the end" is off by seconds


def test_a_service_stuck_at_ninety_percent_is_never_called_recovered():
    rng = Random(11)

    estimates = [_run(rng, during=0.0, background=0.1) for _ in range(40)]

    assert estimates == [None] * 40


def test_a_short_relapse_does_not_hide_the_recovery():
    goods = [False] * 100 + [True] * 10 + [False] * 60 + [True] * 200

    assert change_point(goods) == 170


def test_a_change_for_the_worse_is_no_recovery():
    assert change_point([True] * 50 + [False] * 50) is None
    assert change_point([]) is None


def test_a_load_without_operations_after_the_heal_has_no_recovery_time():
    seen = history(phases(), fault(), operations(0, 80))

    estimate = recovery_of(seen, "lookups", SteadyState(), "any")

    assert estimate == (None, "no operation followed the heal")


def test_a_recovery_at_once_is_zero_and_not_the_next_arrival():
    seen = history(phases(), fault(), operations(0, 80), operations(80.2, 110))

    assert recovery_of(seen, "lookups", SteadyState(), "any") == (0.0, "recovered at once")


@pytest.mark.parametrize(
    ("steady", "slo"),
    [
        (SteadyState(success_ratio=0.99), 0.99),
        (SteadyState(success_ratio=0.99, latency_p95_s=0.25), 0.94),  # one in twenty may be slow
        (SteadyState(success_ratio=0.01, latency_p95_s=0.25), 0.0),
    ],
)
def test_as_many_may_be_slow_as_the_steady_state_lets(steady, slo):
    assert slo_of(steady) == pytest.approx(slo)
