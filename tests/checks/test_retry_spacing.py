import pytest

from harness.checks.retry_spacing import RetrySpacing
from harness.model.verdict import Verdict
from tests.checks.histories import (
    BATCH_WI,
    SCRIPTED,
    ask,
    call,
    clocks,
    gap,
    phases,
    received,
)

CHECK = RetrySpacing(link=BATCH_WI, at_least_s=4.0, status=429)
TOOK = 0.01  # each request of `call` is answered so long after it came


def calls(*statuses, pause=4.0, n=5):
    """Return calls whose next request comes `pause` after the answer to the one before."""
    return [
        record
        for i in range(n)
        for record in call(20.0 + 10 * i, f"c{i}", *statuses, pause=pause + TOOK)
    ]


def judged(*parts, check=CHECK):
    return ask(check, phases(), clocks("batch", "portal_wi"), *parts, timeline=(SCRIPTED,))


def test_calls_that_wait_as_long_as_they_were_told_pass():
    found = judged(calls(429, 200))

    assert found.verdict is Verdict.PASSED
    assert found.value == pytest.approx(4.0)
    assert found.samples == 5


def test_a_single_call_that_asks_again_too_soon_fails_and_is_named():
    found = judged(calls(429, 200), call(70.0, "hasty", 429, 200, pause=0.5))

    assert found.verdict is Verdict.FAILED
    assert found.value == pytest.approx(0.49)
    assert found.witnesses == ("hasty at 70.500 s: asked again 0.490 s after a 429",)


def test_too_few_pauses_decide_nothing():
    found = judged(calls(429, 200, n=4))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (4, 5)


@pytest.mark.parametrize(("early", "verdict"), [(0.001, "PASSED"), (0.003, "FAILED")])
def test_what_an_event_loop_rounds_off_is_granted_and_no_more(early, verdict):
    assert judged(calls(429, 200, pause=4.0 - early)).verdict == verdict


def test_only_answers_with_the_status_that_is_named_ask_for_a_pause():
    assert judged(calls(503, 200, pause=0.5)).verdict is Verdict.INCONCLUSIVE


def test_without_a_status_any_answer_that_may_pass_asks_for_a_pause():
    backoff = RetrySpacing(link=BATCH_WI, at_least_s=0.5)

    assert judged(calls(503, 503, 200, pause=0.5), check=backoff).verdict is Verdict.PASSED
    assert judged(calls(503, 503, 200, pause=0.0), check=backoff).verdict is Verdict.FAILED


def test_pages_and_requests_that_were_given_up_ask_for_no_pause():
    pages = [received(70 + i / 10, "pages") for i in range(3)]
    given_up = [
        received(80.0, "cut", status=None, took=5.0),  # the server notices long after the client
        received(80.5, "cut", number=2),
    ]
    backoff = RetrySpacing(link=BATCH_WI, at_least_s=0.5)

    found = judged(calls(503, 200, pause=0.5), pages, given_up, check=backoff)

    assert found.verdict is Verdict.PASSED
    assert found.samples == 5


def test_a_path_leaves_other_requests_out():
    check = RetrySpacing(link=BATCH_WI, at_least_s=4.0, path="/WI/")
    elsewhere = [
        received(70.0, "other", status=429, path="/NE/"),
        received(70.5, "other", number=2, path="/NE/"),
    ]

    assert judged(elsewhere, check=check).verdict is Verdict.INCONCLUSIVE
    assert judged(elsewhere).verdict is Verdict.FAILED


def test_a_record_with_a_gap_proves_no_patience_but_still_haste():
    assert judged(calls(429, 200), gap("portal_wi")).verdict is Verdict.INCONCLUSIVE
    assert judged(calls(429, 200, pause=0.5), gap("portal_wi")).verdict is Verdict.FAILED
