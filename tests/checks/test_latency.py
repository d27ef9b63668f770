import math

import pytest

from harness.checks.latency import Latency
from harness.checks.percentiles import nearest_rank
from harness.checks.stalls import stalls_of
from harness.model.verdict import Verdict
from tests.checks.histories import (
    BURNERS,
    ask,
    fault,
    history,
    operation,
    operations,
    phases,
    stall,
    times,
)

CHECK = Latency(load="lookups", during="fault", at_most_s=0.3)


def test_a_slow_service_fails():
    found = ask(CHECK, phases(), operations(20, 50), operations(50, 80, took=0.9))

    assert found.verdict is Verdict.FAILED
    assert (found.value, found.limit, found.unit) == (0.9, 0.3, "s")
    assert found.expected == "p95 of latency is at most 0.3 s"
    assert found.witnesses[0] == "lookups-50.000 at 50.000 s: 0.900 s"


def test_a_fast_service_passes():
    found = ask(CHECK, phases(), operations(20, 80))

    assert found.verdict is Verdict.PASSED
    assert found.value == pytest.approx(0.01)


def test_too_few_operations_decide_nothing():
    found = ask(CHECK, phases(), operations(20, 24))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.samples == 16
    assert found.needed == 43  # 0.85 to the 43rd is just below one in a thousand


def test_latency_counts_from_the_intended_start():
    late = [
        operation(t, started_ns=round((t + 0.5) * 1e9), end_ns=round((t + 0.51) * 1e9))
        for t in times(20, 80)
    ]

    assert ask(CHECK, phases(), late).verdict is Verdict.FAILED


def test_an_operation_without_an_answer_is_slower_than_every_bound():
    lost = operations(50, 80, took=0.001, outcome="FAILED", status=None, reason="connect_refused")

    found = ask(CHECK, phases(), operations(20, 50), lost)

    assert found.verdict is Verdict.FAILED
    assert found.value is None  # never a figure for an answer that did not come
    assert "no answer" in found.got


def test_one_hiccup_that_delays_a_crowd_is_not_sure():
    crowd = [operation(40 + i / 1000, took=0.9) for i in range(90)]

    found = ask(CHECK, phases(), operations(20, 80), crowd)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "too few episodes" in found.reason


def test_a_measured_stall_excuses_what_it_explains():
    slow = [operation(t, took=0.35) for t in times(30, 34)]
    lags = [stall(t + 0.2, 0.1) for t in times(30, 34)]

    found = ask(CHECK, phases(), operations(20, 30), operations(34, 80), slow, lags)

    assert found.verdict is Verdict.PASSED
    assert "16 left out for stalls" in found.got


def test_a_machine_that_stalled_all_the_time_decides_nothing():
    slow = [operation(t, took=0.35) for t in times(20, 80)]

    found = ask(CHECK, phases(), slow, [stall(t + 0.2, 0.1) for t in times(20, 80)])

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.startswith("the machine stalled: 240 of 240")
    assert found.is_noisy


def test_burners_are_no_excuse_for_the_stalls_that_they_cause():
    slow = [operation(t, took=0.35) for t in times(20, 80)]
    lags = [stall(t + 0.2, 0.1) for t in times(20, 80)]
    burners = fault(name="cpu_pressure", target="api")

    found = ask(CHECK, phases(), slow, lags, burners, timeline=(BURNERS,))

    assert found.verdict is Verdict.FAILED


def test_a_paused_service_is_not_excused_by_having_been_paused():
    slow = [operation(t, took=0.35) for t in times(20, 80)]
    lags = [stall(t + 0.2, 0.1, service="api") for t in times(20, 80)]

    found = ask(CHECK, phases(), slow, lags, fault(name="pause", target="api"))

    assert found.verdict is Verdict.FAILED


def test_an_injected_delay_that_does_not_show_fails():
    check = Latency(load="lookups", during="fault", percentile="p50", at_least_s=0.8)

    assert ask(check, phases(), operations(20, 80)).verdict is Verdict.FAILED
    assert ask(check, phases(), operations(20, 80, took=0.9)).verdict is Verdict.PASSED
    assert ask(check, phases(), operations(20, 22)).verdict is Verdict.INCONCLUSIVE


def test_both_bounds_have_to_hold():
    check = Latency(load="lookups", during="fault", percentile="p50", at_least_s=0.8, at_most_s=1.5)

    assert ask(check, phases(), operations(20, 80, took=0.9)).verdict is Verdict.PASSED
    assert ask(check, phases(), operations(20, 80, took=0.1)).verdict is Verdict.FAILED
    assert ask(check, phases(), operations(20, 80, took=2.0)).verdict is Verdict.FAILED


def test_bounds_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="below at_least"):
        Latency(load="lookups", during="run", at_most_s=0.1, at_least_s=0.5)
    with pytest.raises(ValueError, match="expected a duration"):
        Latency(load="lookups", during="run")


@pytest.mark.parametrize(("share", "value"), [(0.5, 10.0), (0.95, 19.0), (0.99, 20.0)])
def test_a_percentile_is_a_value_that_was_measured(share, value):
    assert nearest_rank([float(i) for i in range(20, 0, -1)], share) == value
    assert nearest_rank([], share) is None
    assert nearest_rank([1.0, math.inf], 0.99) == math.inf


@pytest.mark.parametrize(
    ("start", "end", "largest_s"),
    [
        (30.0, 31.0, 0.5),  # ends inside: it lasted from 29.7 s to 30.2 s
        (29.0, 29.8, 0.5),  # begins inside
        (29.0, 29.69, 0.5),  # begins a moment after
        (29.0, 29.6, 0.0),  # begins too late to have delayed anything
        (30.205, 31.0, 0.5),  # ended a moment before
        (30.3, 31.0, 0.0),
    ],
)
def test_a_stall_excuses_only_what_it_overlaps(start, end, largest_s):
    stalls = stalls_of(history(phases(), stall(30.2, 0.5)))

    assert stalls.largest_s(round(start * 1e9), round(end * 1e9)) == largest_s
