"""The table of outcomes, row by row."""

import errno

import pytest
from hypothesis import given, strategies as st

from harness.load.connection import Answer
from harness.load.outcome import Ending, judge_answer, judge_connect_error
from harness.model.records import Outcome


def judge(
    status: int, headers: dict[str, str] | None = None, expect_status: tuple[int, ...] = ()
) -> Ending:
    answer = Answer(status=status, headers=headers or {})
    return judge_answer(answer, call_id="lookups-000000", expect_status=expect_status)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("mark", ["breaker", "bulkhead", "limiter"])
def test_marked_refusal_is_rejected_by_what_the_mark_names(status: int, mark: str):
    ending = judge(status, {"x-atlas-rejected-by": mark})

    assert (ending.outcome, ending.reason, ending.rejected_by) == (Outcome.REJECTED, mark, mark)


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_unmarked_answer_is_failed_with_its_status(status: int):
    ending = judge(status)

    assert (ending.outcome, ending.reason) == (Outcome.FAILED, f"http_{status}")


def test_mark_on_another_status_is_no_refusal():
    assert judge(500, {"x-atlas-rejected-by": "breaker"}).outcome is Outcome.FAILED


def test_marked_success_is_ok():
    assert judge(200, {"x-atlas-rejected-by": "breaker"}).outcome is Outcome.OK


def test_expected_statuses_replace_all_others():
    assert judge(404, expect_status=(404,)).outcome is Outcome.OK
    assert judge(200, expect_status=(404,)) == Ending(
        outcome=Outcome.FAILED, reason="http_200", status=200
    )


def test_own_call_id_is_right_content():
    assert judge(200, {"x-atlas-call-id": "lookups-000000"}).outcome is Outcome.OK


@pytest.mark.parametrize("text", ["NaN", "inf", "-Infinity", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_header_that_is_no_finite_number_is_none(text: str):
    ending = judge(503, {"retry-after": text, "x-atlas-age-s": text})

    assert (ending.retry_after_s, ending.age_s) == (None, None)


@given(st.integers(min_value=200, max_value=599), st.booleans(), st.lists(st.integers(200, 599)))
def test_answer_that_is_complete_is_never_unknown(status: int, is_marked: bool, expect: list[int]):  # noqa: FBT001
    headers = {"x-atlas-rejected-by": "breaker"} if is_marked else {}

    assert judge(status, headers, tuple(expect)).outcome is not Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "connect_refused"),
        (TimeoutError(), "connect_timeout"),
        (ConnectionResetError(errno.ECONNRESET, ""), "connect_reset"),
        (OSError(errno.EHOSTUNREACH, ""), "connect_unreachable"),
        (OSError(errno.ENETUNREACH, ""), "connect_unreachable"),
        (OSError(errno.EACCES, ""), "connect_failed"),
    ],
)
def test_operation_without_connection_is_failed(error: OSError, reason: str):
    assert judge_connect_error(error) == Ending(outcome=Outcome.FAILED, reason=reason)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL])
def test_limit_of_this_host_is_nobodys_outcome(number: int):
    error = OSError(number, "")

    with pytest.raises(OSError, match=str(number)):
        judge_connect_error(error)
