import dataclasses

import pytest

from harness.checks.retry_amplification import RetryAmplification
from harness.model.records import ProcessRecord
from harness.model.system import Link
from harness.model.verdict import Verdict
from tests.checks.histories import (
    API_DB,
    BATCH_WI,
    SCRIPTED,
    ask,
    attempt,
    call,
    clocks,
    fault,
    gap,
    ns,
    phases,
    received,
)

CHECK = RetryAmplification(link=BATCH_WI)
EVENTS = clocks("batch", "portal_wi")


def calls(*statuses, n=10):
    return [record for i in range(n) for record in call(30.0 + i, f"c{i}", *statuses)]


def claims(number, *, n=10, outcome="failed"):
    return [
        attempt(30.0 + i + k / 10, f"c{i}", link=BATCH_WI, number=k + 1, outcome=outcome)
        for i in range(n)
        for k in range(number)
    ]


def judged(*parts, check=CHECK):
    return ask(check, phases(), EVENTS, *parts, timeline=(SCRIPTED,))


def test_a_retry_storm_fails_with_the_worst_call_first():
    found = judged(calls(503, 503, 503), call(60, "storm", *[503] * 9))

    assert found.verdict is Verdict.FAILED
    assert (found.value, found.limit) == (9.0, 3.0)  # the system file promises 3
    assert found.witnesses[0].startswith("storm at 60.800 s: 9 requests: 503, 503")


def test_a_bounded_retry_passes():
    found = judged(calls(503, 503, 503), claims(3))

    assert found.verdict is Verdict.PASSED
    assert found.value == 3.0


def test_calls_that_met_no_failure_decide_nothing():
    found = judged(calls(200))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (0, 5)


def test_an_upstream_without_its_record_decides_nothing():
    found = ask(CHECK, phases(), clocks("batch"), claims(3))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "there are no events of portal_wi"
    assert judged(calls(503, 503, 503), gap("portal_wi")).verdict is Verdict.INCONCLUSIVE


def test_a_client_that_hides_attempts_fails():
    found = judged(calls(503, 503, 503), claims(1))

    assert found.verdict is Verdict.FAILED
    assert "the client says 1 attempts, the server saw 3" in found.witnesses[0]


def test_a_client_that_claims_an_answer_which_never_came_fails():
    found = judged(calls(503, 503), claims(2, n=9), [attempt(50, "ghost", link=BATCH_WI)])

    assert found.verdict is Verdict.FAILED
    assert "the client says attempt 1 was ok, the server never saw it" in found.witnesses[0]


def test_attempts_that_a_broken_link_kept_away_are_no_contradiction():
    assert judged(calls(503), claims(3)).verdict is Verdict.PASSED


def test_a_client_that_was_killed_is_not_contradicted_by_what_it_could_not_say():
    killed = fault(index=1, name="kill", target="batch", start=40, end=41)

    assert judged(calls(503, 503), claims(1), killed).verdict is Verdict.PASSED


def test_the_bound_of_the_check_comes_before_that_of_the_system():
    check = dataclasses.replace(CHECK, at_most=2)

    assert judged(calls(503, 503, 503), check=check).verdict is Verdict.FAILED


def test_a_link_without_any_bound_decides_nothing():
    check = RetryAmplification(link=Link("batch", "db"))

    found = judged(calls(503), check=check)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "names a bound" in found.reason


def test_a_database_that_writes_no_events_decides_nothing():
    found = ask(RetryAmplification(link=API_DB), phases(), clocks("api"))

    assert found.verdict is Verdict.INCONCLUSIVE


def paged(*, failing: bool, number: int = 1):
    """Return four requests of one attempt: pages, or the same one repeated in secret."""
    status = 503 if failing else 200
    return [received(60 + i / 10, "pages", number=number, status=status) for i in range(4)]


def test_pages_of_one_attempt_count_once():
    found = judged(calls(503, 503, 503), paged(failing=False))

    assert found.verdict is Verdict.PASSED
    assert found.value == 3.0


def test_a_request_repeated_under_the_same_number_after_a_failure_counts():
    found = judged(calls(503, 503, 503), paged(failing=True))

    assert found.verdict is Verdict.FAILED
    assert found.value == 4.0


def test_exactly_as_many_failed_calls_as_needed_are_enough():
    assert judged(calls(503, 503, n=5)).verdict is Verdict.PASSED
    assert judged(calls(503, 503, n=4)).verdict is Verdict.INCONCLUSIVE


def test_the_expectation_names_the_bound():
    found = judged(calls(503, 503))

    assert found.expected == "at most 3 requests at portal_wi for one call"


@pytest.mark.parametrize(
    ("what", "t", "verdict"),
    [
        ("killed", 40.0, "PASSED"),  # its last words may lack
        ("ready", 40.0, "FAILED"),
        ("stopped", 111.0, "FAILED"),  # after the run, as every process
    ],
)
def test_only_a_process_that_ended_within_the_run_is_excused(what, t, verdict):
    ended = ProcessRecord(t_ns=ns(t), service="batch", incarnation="1", what=what)

    assert judged(calls(503, 503), claims(1), ended).verdict == verdict
