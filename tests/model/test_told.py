"""An error is told with what broke first, and a surprise with its traceback."""

from asyncio import CancelledError

import pytest

from harness.model.errors import HarnessError, WorldNotClean, in_one_line, told


def failure_of(work) -> BaseException:
    with pytest.raises(Exception) as raised:  # noqa: PT011 -- whatever it is, it is told
        work()
    return raised.value


def break_then(later: BaseException, first: BaseException) -> None:
    try:
        raise first
    finally:
        raise later


def test_what_broke_first_is_told_before_what_could_not_be_undone_because_of_it():
    def work():
        break_then(WorldNotClean("a port is open"), HarnessError("the engine is gone"))

    assert told(failure_of(work)) == (
        "HarnessError: the engine is gone\nthen WorldNotClean: a port is open"
    )


def test_the_one_line_of_several_errors_is_that_of_the_first():
    def work():
        break_then(HarnessError("not removed"), HarnessError("a service ended:\nKeyError: 'DB'"))

    line = in_one_line(told(failure_of(work)))

    assert line == "HarnessError: a service ended: KeyError: 'DB'"


def test_the_first_of_several_at_once_is_told_where_a_clean_up_failed_after_them():
    several = ExceptionGroup("several", [HarnessError("one"), HarnessError("two")])

    def work():
        break_then(WorldNotClean("a port is open"), several)

    assert told(failure_of(work)) == "HarnessError: one\nthen WorldNotClean: a port is open"


def test_what_a_message_was_made_from_is_not_told_twice():
    def work():
        raise WorldNotClean("not removed: no answer") from HarnessError("no answer")

    assert told(failure_of(work)) == "WorldNotClean: not removed: no answer"


def test_a_cancellation_is_no_error():
    def work():
        break_then(HarnessError("the engine is gone"), CancelledError())

    assert told(failure_of(work)) == "HarnessError: the engine is gone"


def test_the_first_of_several_at_once_is_told():
    several = ExceptionGroup("several", [HarnessError("one"), HarnessError("two")])

    assert told(several) == "HarnessError: one"


def test_one_of_several_at_once_that_was_raised_from_all_of_them_is_told_once():
    several = ExceptionGroup("several", [HarnessError("one"), HarnessError("two")])

    def work():
        raise several.exceptions[0] from several

    assert told(failure_of(work)) == "HarnessError: one"


@pytest.mark.parametrize("surprise_first", [True, False])
def test_a_surprise_is_told_with_its_traceback(surprise_first):
    ours, surprise = HarnessError("the engine is gone"), ZeroDivisionError("by zero")

    def work():
        break_then(*([ours, surprise] if surprise_first else [surprise, ours]))

    lines = told(failure_of(work)).splitlines()

    assert f"{'' if surprise_first else 'then '}ZeroDivisionError('by zero')" in lines
    assert f"{'then ' if surprise_first else ''}HarnessError: the engine is gone" in lines
    assert lines.count("Traceback (most recent call last):") == 1


def test_a_surprise_is_told_with_what_it_was_raised_from():
    def work():
        raise ValueError("no number") from KeyError("port")

    assert "KeyError: 'port'" in told(failure_of(work))
