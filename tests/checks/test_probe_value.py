import pytest

from harness.checks.probe_value import ProbeValue
from harness.model.verdict import Verdict
from tests.checks.histories import ask, phases, probe, times

ALWAYS = ProbeValue(probe="health", value="status", during="fault", not_equals="healthy")
EVER = ProbeValue(probe="health", value="status", during="fault", equals="critical", holds="ever")
AT_MOST = ProbeValue(probe="health", value="tasks.open", during="run", at_most=5)


def statuses(status, start=20.0, end=80.0):
    return [probe(t, status=status) for t in times(start, end, 1.0)]


def test_one_answer_that_differs_fails_what_has_to_hold_always():
    found = ask(ALWAYS, phases(), statuses("critical", end=79), statuses("healthy", start=79))

    assert found.verdict is Verdict.FAILED
    assert found.expected == "status always not equals healthy"
    assert found.witnesses == ("health at 79.000 s: 'healthy'",)


def test_a_value_that_always_holds_passes():
    found = ask(ALWAYS, phases(), statuses("critical"), statuses("healthy", start=0, end=20))

    assert found.verdict is Verdict.PASSED
    assert found.samples == 60


def test_too_few_answers_decide_nothing():
    assert ask(ALWAYS, phases(), statuses("critical", end=22)).verdict is Verdict.INCONCLUSIVE
    assert ask(EVER, phases(), statuses("healthy", end=22)).verdict is Verdict.INCONCLUSIVE


def test_a_value_that_was_never_reached_fails():
    found = ask(EVER, phases(), statuses("healthy"))

    assert found.verdict is Verdict.FAILED
    assert found.got == "in none of 60 answers"


def test_a_value_that_was_reached_once_passes():
    found = ask(EVER, phases(), statuses("healthy"), [probe(50.5, status="critical")])

    assert found.verdict is Verdict.PASSED
    assert found.got == "'critical' at 50.500 s"


def test_answers_without_the_value_are_no_evidence():
    found = ask(AT_MOST, phases(), statuses("healthy"))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "0 of 60 answers hold tasks.open, it needs 3"


@pytest.mark.parametrize(("value", "verdict"), [(5, "PASSED"), (6, "FAILED"), ("many", "FAILED")])
def test_numbers_are_compared_with_their_bound(value, verdict):
    found = ask(AT_MOST, phases(), [probe(t, tasks__open=value) for t in times(20, 80, 1.0)])

    assert found.verdict == verdict


@pytest.mark.parametrize(("written", "value"), [("0", 0), ("0", 0.0), ("true", True), ("a", "a")])
def test_values_equal_what_a_file_writes(written, value):
    check = ProbeValue(probe="health", value="x", during="run", equals=written)

    found = ask(check, phases(), [probe(t, x=value) for t in times(20, 80, 1.0)])

    assert found.verdict is Verdict.PASSED


def test_a_run_without_the_phase_decides_nothing():
    assert ask(ALWAYS, phases()[:1]).verdict is Verdict.INCONCLUSIVE


def test_exactly_one_comparison_is_asked_for():
    with pytest.raises(ValueError, match="got none"):
        ProbeValue(probe="p", value="x", during="run")
    with pytest.raises(ValueError, match="got equals and at_most"):
        ProbeValue(probe="p", value="x", during="run", equals="0", at_most=1)
