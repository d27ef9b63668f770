"""What a terminal shows: one screen per failure, one line per phase in a pipe, all counts."""

import dataclasses
import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from harness.model.finding import Finding
from harness.model.run import Progress
from harness.model.verdict import Verdict
from harness.reporting.console import (
    closing,
    console_for,
    copyable,
    failure_block,
    last_line,
    progress_line,
    render,
)
from harness.reporting.live import LiveDisplay
from harness.reporting.run_report import report_of

GOLDEN = Path(__file__).parent / "golden"
SCREEN_LINES = 40


def assert_golden(name, got):
    path = GOLDEN / name
    if os.environ.get("ATLAS_GOLDEN"):
        path.write_text(got, encoding="utf-8")
    assert got == path.read_text(encoding="utf-8")


@pytest.fixture
def report(failed):
    return dataclasses.replace(report_of(failed), folder="reports/latest/runs/lookups")


@pytest.mark.parametrize(("width", "golden"), [(120, "closing.txt"), (80, "closing_80.txt")])
def test_closing_is_the_golden_one(report, width, golden):
    passed = dataclasses.replace(report, name="b", verdict=Verdict.PASSED, sentence="held")
    skipped = dataclasses.replace(
        report, name="c", verdict=Verdict.SKIPPED, sentence="needs compose", duration_s=0.0
    )

    assert_golden(golden, render(closing([report, passed, skipped]), width) + "\n")


def test_80_columns_cut_no_word_of_a_check_that_did_not_hold(report):
    shown = render(failure_block(report), 80)

    failed = [one for one in report.findings if one.verdict is not Verdict.PASSED]
    assert failed
    for finding in failed:
        for words in (finding.check, finding.expected, finding.got):
            assert words in shown


def test_failure_block_fits_one_screen_with_many_checks_and_witnesses(report):
    held = [
        Finding(check=f"c{i}", verdict=Verdict.PASSED, expected="e " * 60, got="g " * 60)
        for i in range(12)
    ]
    wide = dataclasses.replace(report.findings[1], witnesses=tuple("w" * 70 for _ in range(50)))
    crowded = dataclasses.replace(report, findings=(wide, *held), error="line\n" * 100)

    assert len(render(failure_block(crowded), 100).splitlines()) <= SCREEN_LINES


def test_worst_checks_come_first_whatever_their_order(report):
    turned = dataclasses.replace(report, findings=report.findings[::-1])

    lines = [line for line in render(failure_block(turned)).splitlines() if "(" in line]

    assert lines[1].startswith("FAIL  recovery_time")


def test_output_is_plain_in_a_pipe(report):
    file = io.StringIO()
    console = Console(file=file, width=100)

    console.print(closing([report]))

    assert "\x1b" not in file.getvalue()


def test_no_color_is_honoured_on_a_terminal(report, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = console_for(width=100)

    with console.capture() as capture:
        console.print(closing([report]))

    assert "\x1b[31m" not in capture.get()
    assert "\x1b[1;31m" not in capture.get()


def test_brackets_in_texts_are_shown_as_they_are(report):
    odd = dataclasses.replace(report, sentence="[red]not markup[/red] :warning: [1, 2]")

    assert "[red]not markup[/red] :warning: [1, 2]" in render(failure_block(odd), 200)


def test_last_line_names_the_seed_only_if_it_is_one(report):
    other = dataclasses.replace(report, seed=7)

    assert last_line([report]).endswith("; seed 42")
    assert "seed" not in last_line([report, other])


def test_long_command_can_be_copied_from_two_lines():
    command = f"atlas-chaos run scenarios/{'x' * 60}.chaos.yaml --seed 1 --time-scale 0.1"

    head, tail = copyable(command).split("\n")

    assert head.endswith(" \\")
    assert f"{head[:-2]} {tail.strip()}" == command


def test_progress_without_a_plan_shows_what_it_has_taken():
    line = progress_line(Progress(scenario="a", phase="start", elapsed_s=3.2, message="db ready"))

    assert line == "a  start     3 s  db ready"


def test_progress_is_cut_to_the_width():
    line = progress_line(Progress(scenario="a" * 50, phase="fault", message="m" * 90), 60)

    assert len(line) == 60


def test_pipe_gets_one_line_per_phase_and_one_per_verdict(report):
    file = io.StringIO()
    with LiveDisplay(Console(file=file, width=60)) as display:
        for elapsed_s in (0.0, 1.0, 2.0):
            display.on_progress(Progress(scenario=report.name, phase="fault", elapsed_s=elapsed_s))
        display.on_progress(Progress(scenario=report.name, phase="settle"))
        display.on_finished(report)

    first, second, third = file.getvalue().splitlines()
    assert first == f"{report.name}: fault"
    assert second == f"{report.name}: settle"
    assert third.startswith(f"FAILED {report.name}: recovery_time(lookups)")


def test_terminal_shows_every_run_in_progress_and_gives_the_cursor_back():
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, force_interactive=True)
    with LiveDisplay(console) as display:
        display.on_progress(Progress(scenario="one", phase="fault", elapsed_s=1.0, planned_s=4.0))
        display.on_progress(Progress(scenario="two", phase="start"))
        shown = render(display.rows(), 80)

    assert shown.splitlines() == [
        "one  fault     ###.........  3 s left",
        "two  start     0 s",
    ]
    assert file.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in file.getvalue()
