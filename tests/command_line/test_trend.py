"""The command `trend`, with its exit codes, on nights that are made here.

ATLAS_GOLDEN=1 renews the golden text and the published schema.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.checks.comparison import Change
from harness.command_line.saved_runs import saved_runs
from harness.command_line.trend_command import document_text, shown
from harness.command_line.trend_history import trend_schema, trends_of
from harness.reporting.console import render
from tests.command_line.saved_runs import ROOT, saved_night, saved_run
from tests.reporting.schema_problems import problems

GOLDEN = Path(__file__).parent / "golden" / "trend.txt"
PUBLISHED = ROOT / "docs" / "reference" / "trend.schema.json"


def trend(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", "trend", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def nights(folder, *choices):
    return [saved_night(folder / f"nightly-{i}", i, **one) for i, one in enumerate(choices)]


def newest(folders):
    """Return the one trend of some nights."""
    [found] = trends_of(saved_runs(folders)[0], last=10)
    return found


def require_same(path, text):
    if os.environ.get("ATLAS_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_screen_is_the_golden_one(tmp_path):
    folders = nights(tmp_path, {}, {"failing_until_s": 4.5}, {}, {"failing_until_s": 5.5})

    found = newest(folders)

    require_same(GOLDEN, render(shown([found], found.change), 80) + "\n")


def test_lasting_step_is_told_until_most_nights_look_like_it(tmp_path):
    slow = {"latency_s": 0.2}
    folders = nights(tmp_path, {}, {}, {}, slow, slow, slow, slow)

    told = [newest(folders[: count + 1]).change for count in range(1, len(folders))]

    assert told == [Change.SAME, Change.SAME, *[Change.WORSE] * 3, Change.SAME]


def test_one_odd_night_neither_raises_an_alarm_nor_hides_one(tmp_path):
    odd, slow = {"failing_until_s": 5.5}, {"latency_s": 0.2}
    folders = nights(tmp_path, {}, {}, odd, {}, slow)

    assert newest(folders[:4]).change is Change.SAME
    assert newest(folders).change is Change.WORSE


def test_runs_stand_in_the_order_of_their_start_whatever_the_folders_are_called(tmp_path):
    folders = [saved_night(tmp_path / name, night) for name, night in (("a", 9), ("z", 1))]

    runs = newest([*folders, tmp_path]).runs  # the parent holds the same runs once more

    assert [Path(run.folder).parents[1].name for run in runs] == ["z", "a"]


def test_other_time_scales_and_scenarios_have_histories_of_their_own(tmp_path):
    folders = nights(tmp_path, {}, {"time_scale": 0.5}, {"name": "other"})

    found = trends_of(saved_runs(folders)[0], last=10)

    assert [(one.scenario, one.time_scale) for one in found] == [
        ("half", 0.5),
        ("half", 1.0),
        ("other", 1.0),
    ]


def test_only_the_newest_runs_are_kept_and_five_before_are_compared(tmp_path):
    folders = nights(tmp_path, *[{}] * 8)

    [found] = trends_of(saved_runs(folders)[0], last=7)

    assert (len(found.runs), found.compared) == (7, 5)


def test_summary_without_a_history_still_shows_its_figures(tmp_path):
    folders = nights(tmp_path, {}, {"failing_until_s": 5.5})
    (folders[1] / "runs" / "half" / "history.ndjson").unlink()

    found = newest(folders)

    assert found.runs[1].figures["recovery_time_s"] == pytest.approx(1.5)
    assert found.change is Change.UNKNOWN
    assert "no history is left" in found.rows[0].reason


def test_history_of_another_run_is_not_taken_for_this_one(tmp_path):
    folders = nights(tmp_path, {}, {})
    about = folders[1] / "runs" / "half" / "run.json"
    about.write_text(about.read_text().replace('"run_id": "r"', '"run_id": "later"'))

    [row] = newest(folders).rows

    assert "is of another run" in row.reason


def test_runs_of_another_scenario_file_are_counted_and_told(tmp_path):
    folders = nights(tmp_path, {}, {}, {})
    file = folders[0] / "runs" / "half" / "inputs" / "half.chaos.yaml"
    file.write_text(file.read_text() + "# another reason\n")

    found = newest(folders)

    assert (found.compared, found.edited) == (2, 1)
    told = "1 of the 2 before had another scenario or system file"
    assert told in render(shown([found], found.change), 100)


def test_suite_that_was_killed_before_its_summary_is_read_run_by_run(tmp_path):
    folders = nights(tmp_path, {}, {})
    (folders[1] / "summary.json").unlink()

    assert len(newest(folders).runs) == 2


def test_document_keeps_to_its_published_schema(tmp_path):
    found = newest(nights(tmp_path, {}, {"latency_s": 0.2}))

    require_same(PUBLISHED, json.dumps(trend_schema(), indent=2) + "\n")
    document = json.loads(document_text([found], [tmp_path], found.change))
    assert list(problems(trend_schema(), document)) == []
    document["trends"][0]["runs"][0]["verdict"] = "GREEN"
    assert list(problems(trend_schema(), document)) != []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("choices", "code", "answer"),
    [
        ([{}, {}, {}], 0, "no regression"),
        ([{}, {}, {"failing_until_s": 5.5}], 1, "regression"),
        ([{}], 2, "cannot tell"),
    ],
)
def test_exit_code_screen_and_json_say_the_same(tmp_path, choices, code, answer):
    folders = nights(tmp_path, *choices)

    screen, document = trend(*folders), trend(*folders, "--json")

    assert (screen.returncode, document.returncode) == (code, code), screen.stderr
    assert screen.stdout.splitlines()[-1] == answer
    assert json.loads(document.stdout)["answer"] == answer


@pytest.mark.slow
def test_night_without_runs_is_named_and_left_out(tmp_path):
    folders = nights(tmp_path, {}, {})
    (tmp_path / "nightly-2").mkdir()

    done = trend(*folders, tmp_path / "nightly-2")

    assert done.returncode == 0, done.stdout
    assert done.stderr == f"{tmp_path / 'nightly-2'} holds no run; left out\n"


def spoilt(folder, name, text):
    (folder / name).write_text(text)
    return folder


@pytest.mark.slow
def test_what_cannot_be_read_is_refused_by_its_name(tmp_path):
    good = saved_night(tmp_path / "good", 0)
    (tmp_path / "empty").mkdir()
    newer = saved_night(tmp_path / "newer", 1)
    newer_text = (newer / "summary.json").read_text().replace('"schema": 1', '"schema": 99')
    torn = saved_night(tmp_path / "torn", 2)

    for arguments, why in (
        ([tmp_path / "nowhere"], "there is no folder"),
        ([tmp_path / "empty"], "no runs in"),
        ([spoilt(newer, "summary.json", newer_text)], "summary.json: this version reads schema 1"),
        ([spoilt(saved_run(tmp_path / "one"), "findings.json", "[]")], "findings.json: no report"),
        ([good, spoilt(torn, "runs/half/history.ndjson", "{]\n{]\n")], "torn"),
        ([good, "-k", "nothing_of_that_name"], "none of 1 run matches"),
        ([good, "-k", "a b"], "expected words"),
    ):
        done = trend(*arguments)
        assert done.returncode == 4, (why, done.stdout, done.stderr)
        assert why in done.stderr
        assert "Traceback" not in done.stderr
