import pytest
from hypothesis import given, strategies as st

from harness.checks.alert import Alert
from harness.model.records import AlertReading
from harness.model.verdict import Verdict
from tests.checks.histories import ask, fault, ns, phases

NAME = "CircuitBreakerOpenCritical"
# The fault lasts from 20 s to 80 s, the run to 110 s.
FIRES = Alert(alert=NAME, fires_within_s=40)
ENDS = Alert(alert=NAME, fires_within_s=40, resolves_within_s=10)
SILENT = Alert(alert=NAME, during="fault")


def looks(state, start, end, *, name=NAME, **labels):
    """One look a second, from `start` up to `end`."""
    return [
        AlertReading(t_ns=ns(t), alert=name, state=state, labels=labels) for t in range(start, end)
    ]


def run(*parts):
    return (phases(), fault(), *parts)


def fired(start, end):
    return [
        *looks("inactive", 0, start),
        *looks("firing", start, end),
        *looks("inactive", end, 110),
    ]


def test_an_alert_that_fires_and_ends_in_time_passes():
    found = ask(ENDS, *run(fired(50, 85)))

    assert found.verdict is Verdict.PASSED
    assert found.got == "fired 30.000 s after the first fault; ended 5.000 s after the last heal"
    assert (found.value, found.limit, found.unit) == (5.0, 10, "s")
    assert found.samples == 110


def test_an_alert_that_never_fires_fails():
    found = ask(FIRES, *run(looks("inactive", 0, 110)))

    assert found.verdict is Verdict.FAILED
    assert found.got == "fired never, not by 60.000 s"
    assert found.witnesses[0] == "silent at 60.000 s"


def test_an_alert_that_is_only_pending_does_not_fire():
    found = ask(FIRES, *run(looks("inactive", 0, 50), looks("pending", 50, 110)))

    assert found.verdict is Verdict.FAILED


def test_an_alert_that_fires_late_fails():
    found = ask(FIRES, *run(fired(62, 85)))

    assert found.verdict is Verdict.FAILED
    assert found.got == "fired at 62.000 s, not by 60.000 s"


def test_an_alert_that_does_not_end_in_time_fails():
    found = ask(ENDS, *run(fired(50, 95)))

    assert found.verdict is Verdict.FAILED
    assert found.got.endswith("ended at 95.000 s, not by 90.000 s")
    assert found.at_ns == ns(90)


def test_an_alert_that_comes_back_has_not_ended():
    seen = [*fired(50, 85)[:95], *looks("firing", 95, 100), *looks("inactive", 100, 110)]

    assert ask(ENDS, *run(seen)).verdict is Verdict.FAILED


def test_an_alert_that_fires_before_the_fault_fails():
    found = ask(FIRES, *run(fired(15, 85)))

    assert found.verdict is Verdict.FAILED
    assert found.got == "fires at 15.000 s, before the first fault"


def test_an_alert_of_another_series_is_not_the_one():
    wanted = Alert(alert=NAME, labels=("name=api-server",), fires_within_s=40)
    other = run(looks("inactive", 0, 50), looks("firing", 50, 110, name=NAME, job="x"))

    assert ask(wanted, *other).verdict is Verdict.FAILED


def test_one_series_among_several_is_enough():
    wanted = Alert(alert=NAME, labels=("service=api",), fires_within_s=40)
    several = [
        *looks("inactive", 0, 50),
        *looks("firing", 50, 110, service="batch"),
        *looks("firing", 55, 110, service="api"),
    ]

    found = ask(wanted, *run(several))

    assert found.verdict is Verdict.PASSED
    assert found.value == 35.0


def test_an_alert_that_must_not_fire_and_does_fails():
    found = ask(SILENT, *run(fired(50, 55)))

    assert found.verdict is Verdict.FAILED
    assert found.got == "fires in 5 of 60 looks"
    assert found.witnesses[0] == "firing at 50.000 s"


def test_an_alert_that_fires_elsewhere_is_silent_in_the_phase():
    assert ask(SILENT, *run(fired(85, 90))).verdict is Verdict.PASSED


def test_another_alert_says_nothing():
    found = ask(SILENT, *run(looks("inactive", 0, 110, name="Other")))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "0 looks say whether it fires, it needs 3"


@pytest.mark.parametrize(
    ("check", "seen", "reason"),
    [
        (FIRES, looks("firing", 50, 52), "2 looks say whether it fires, it needs 3"),
        (SILENT, looks("inactive", 50, 52), "2 looks say whether it fires, it needs 3"),
        (FIRES, looks("firing", 50, 60), "nobody looked before the fault"),
        (FIRES, looks("inactive", 0, 59), "nobody looked when the bound was reached at 60.000 s"),
        (
            FIRES,
            [*looks("inactive", 0, 59), *looks("firing", 61, 110)],
            "nobody looked when the bound was reached at 60.000 s",
        ),
        (ENDS, fired(50, 95)[:89], "nobody looked when the bound was reached at 90.000 s"),
        (FIRES, looks(None, 0, 110), "0 looks say whether it fires, it needs 3"),
    ],
)
def test_too_few_looks_decide_nothing(check, seen, reason):
    found = ask(check, *run(seen))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.startswith(reason)


def test_looks_after_the_run_are_no_evidence():
    late = [*fired(50, 110)[:110], *looks("inactive", 110, 130)]

    # The services have been stopped by then, so their series, and with them the alert, are gone.
    assert ask(Alert(alert=NAME, fires_within_s=40, resolves_within_s=45), *run(late)).verdict is (
        Verdict.INCONCLUSIVE
    )


def test_without_a_fault_nothing_can_be_late():
    assert ask(FIRES, phases(), looks("inactive", 0, 110)).verdict is Verdict.INCONCLUSIVE


def test_a_run_that_ended_early_decides_nothing():
    assert ask(SILENT, looks("inactive", 0, 110)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"labels": ("name",)}, "labels"),
        ({"labels": ("=api",)}, "labels"),
        ({"resolves_within_s": 5.0}, "resolves_within"),
        ({"fires_within_s": 5.0, "during": "fault"}, "during"),
    ],
)
def test_fields_that_mean_nothing_are_refused(fields, told):
    with pytest.raises(ValueError, match=f"^{told}: "):
        Alert(alert=NAME, **fields)


@given(
    start=st.integers(20, 79),
    end=st.integers(80, 110),
    tight=st.integers(1, 60),
    slack=st.integers(0, 60),
)
def test_a_wider_bound_never_worsens_the_verdict(start, end, tight, slack):
    severity = list(Verdict)
    seen = run(fired(start, end))

    strict = ask(Alert(alert=NAME, fires_within_s=tight), *seen).verdict
    lenient = ask(Alert(alert=NAME, fires_within_s=tight + slack), *seen).verdict

    assert severity.index(strict) <= severity.index(lenient)
