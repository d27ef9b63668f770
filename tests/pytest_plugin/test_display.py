"""The live line is drawn below pytest's own on a terminal, and only there."""

import os
import pty
import subprocess

import pytest

from harness.pytest_support.ledger import Ledger


def report(nodeid, when="call", outcome="passed"):
    return pytest.TestReport(
        nodeid=nodeid,
        location=("a", 0, "a"),
        keywords={},
        outcome=outcome,
        longrepr=None,
        when=when,
    )


def test_ledger_names_what_was_never_run_and_what_was_cut_off():
    ledger = Ledger()
    ledger.plan(["a", "b", "c", "d"])
    ledger.plan(["a", "b", "c", "d"])
    ledger.start("a")
    ledger.start("b")
    ledger.judge(report("a"))
    ledger.judge(report("d", when="???", outcome="failed"))

    lost = ledger.lost()

    assert lost == {"b": "interrupted before its verdict", "c": "never run"}


def test_ledger_takes_neither_progress_nor_a_good_setup_for_a_verdict():
    ledger = Ledger()
    ledger.plan(["a"])
    ledger.judge(report("a", when="chaos"))
    ledger.judge(report("a", when="setup"))

    assert ledger.lost() == {"a": "never run"}


def test_ledger_counts_a_skip_in_setup_as_judged():
    ledger = Ledger()
    ledger.plan(["a"])

    ledger.judge(report("a", when="setup", outcome="skipped"))

    assert ledger.lost() == {}


def on_terminal(project):
    """Run a session on a terminal and return its code and all that was written."""
    master, slave = pty.openpty()
    environment = {**project.environment(), "TERM": "xterm", "LINES": "24"}
    try:
        process = subprocess.Popen(
            project.command(), cwd=project.folder, env=environment, stdout=slave, stderr=slave
        )
        os.close(slave)
        written = b""
        while chunk := _read(master):
            written += chunk
        return process.wait(timeout=30), written.decode()
    finally:
        os.close(master)


DRAW = "\x1b7\x1bD\r\x1b[2K"


@pytest.mark.slow
def test_terminal_shows_a_line_per_run_and_gives_the_cursor_back(project):
    project.scenario("it_a", "pass")

    code, text = on_terminal(project)

    assert code == 0
    assert f"{DRAW}it_a  baseline" in text
    assert text.count("\x1b7") == text.count("\x1b8") > 2


@pytest.mark.slow
@pytest.mark.parametrize("does", ["pass", "interrupt"])
def test_line_is_taken_away_at_the_end(project, does):
    project.scenario("it_a", does)

    _, text = on_terminal(project)

    assert text.rpartition(DRAW)[2].startswith("\x1b8")


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end was closed: this is how a pty says end of file
        return b""
