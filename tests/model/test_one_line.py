"""An error of many lines is told in one, and that one names the reason."""

import pytest
from hypothesis import given, strategies as st

from harness.model.errors import in_one_line

HEAD = "ServiceNotReady: service 'api' ended while it started:"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("its configuration names no upstream\n", "its configuration names no upstream"),
        (
            (
                "Traceback (most recent call last):\n"
                '  File "app.py", line 3, in <module>\n'
                "asyncpg.exceptions.InvalidPasswordError: no such role\n"
                "ERROR:    Application startup failed. Exiting.\n"
            ),
            "asyncpg.exceptions.InvalidPasswordError: no such role",
        ),
        (
            (
                "LOG:  starting PostgreSQL 16\n"
                'FATAL:  could not create lock file "postmaster.pid"\n'
                "LOG:  database system is shut down\n"
            ),
            'FATAL:  could not create lock file "postmaster.pid"',
        ),
        ("panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n", "panic: runtime"),
    ],
)
def test_line_of_a_log_that_names_the_reason_follows_what_announces_it(log, reason):
    assert in_one_line(f"{HEAD}\n{log}").startswith(f"{HEAD} {reason}")


def test_first_line_that_says_it_all_stays_alone():
    assert in_one_line("KeyError('DB')\nTraceback\nKeyError: 'DB'\n") == "KeyError('DB')"


def test_log_without_a_word_adds_none():
    assert in_one_line(f"{HEAD}\n\n  \n") == HEAD
    assert in_one_line("") == ""


@given(st.text())
def test_whatever_was_said_becomes_one_line_of_bounded_length(log):
    told = in_one_line(f"{HEAD}\n{log}")

    assert len(told.splitlines()) == 1
    assert told.startswith(HEAD)
    assert len(told) <= len(HEAD) + 301
