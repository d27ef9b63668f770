"""Every exit code, through a subprocess: what scripts and CI systems rely on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.clock import block_s
from harness.environments import world
from harness.environments.undo import work_folders
from tests.runs.conftest import ROOT, SYSTEM, atlas_chaos

pytestmark = pytest.mark.slow

# Workers of one test session look at the same machine: each has runs of its own name.
NAME = f"reach_{os.getpid()}"

SCENARIO = """
claim: it can be reached
system: pair
load: {asks: {service: front, request: GET /alone, rate: 20/s}}
baseline: 2s
settle: {at_most: 5s, hold: 1s}
checks: [{success_ratio: {load: asks, during: run, at_least: 50%}}]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pair.system.yaml").write_text(SYSTEM.read_text())
    (tmp_path / f"{NAME}.chaos.yaml").write_text(SCENARIO)
    return tmp_path


def run(folder: Path, *more: str) -> subprocess.CompletedProcess:
    reports = folder / "reports"
    return atlas_chaos(
        "run", folder / f"{NAME}.chaos.yaml", "--report-dir", reports, "--time-scale", "1", *more
    )


def change_system(folder: Path, old: str, new: str) -> None:
    file = folder / "pair.system.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_help_is_0_and_teaches():
    done = atlas_chaos("--help")

    assert done.returncode == 0
    assert "Exit codes: 0 passed" in done.stdout
    for command in ("run", "list", "validate", "plan", "judge", "clean", "doctor"):
        assert command in done.stdout
        assert atlas_chaos(command, "--help").returncode == 0


def test_help_imports_nothing_that_is_dear():
    code = (
        "import sys; sys.argv = ['atlas-chaos', '--help']\n"
        "from harness.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "dear = {'httpx', 'fastapi', 'docker', 'requests', 'asyncpg', 'ruamel', 'pytest'}\n"
        "print('dear:', sorted(dear & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines()[-1] == "dear: []"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--no-such-option"], "no-such-option"),
        (["fly"], "fly"),
        (["run", "no/such/folder"], "no/such/folder"),
        (["run", "scenarios", "-k", "no_such_scenario"], "no scenario matches"),
        (["run", "scenarios", "-k", "a ="], "expected words"),
        (["run", "scenarios", "--time-scale", "7"], "--time-scale"),
        (["run", "scenarios", "--environment", "moon"], "no environment 'moon'"),
        (["run", "scenarios", "--proxy", "squid"], "no proxy 'squid'"),
        (["run", "scenarios", "--time-scale", "0.001"], "from"),
        (["judge", "no/such/run"], "holds no saved run"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_meant_is_4_and_starts_nothing(arguments, said):
    done = atlas_chaos(*arguments)

    assert done.returncode == 4
    assert said in done.stderr + done.stdout


def test_every_problem_of_every_file_is_told_at_once(folder):
    (folder / "first.chaos.yaml").write_text("claim: x\nsystem: pear\n")
    (folder / "second.chaos.yaml").write_text(SCENARIO.replace("rate: 20/s", "rate: 20"))

    done = atlas_chaos("validate", folder)

    assert done.returncode == 4
    assert "first.chaos.yaml:" in done.stderr
    assert "second.chaos.yaml:4:" in done.stderr
    assert "per what?" in done.stderr


def test_a_run_that_passes_is_0(folder):
    done = run(folder)

    assert done.returncode == 0, done.stdout + done.stderr


def test_an_uncaught_exception_is_3():
    code = (
        "import sys; sys.argv = ['atlas-chaos', 'list']\n"
        "import harness.command_line.inspect_commands as module\n"
        "module.show_list = lambda chosen: 1 / 0\n"
        "from harness.cli import main; main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr


def test_a_service_that_does_not_become_healthy_is_3_and_named(folder):
    change_system(folder, "ready_within: 5s", "ready_within: 1s")
    change_system(folder, "python tests/runs/system/front.py", "sleep 30")

    done = run(folder)

    assert done.returncode == 3
    assert "service 'front' was not ready within 1.0 s" in done.stdout
    assert no_process_left()


def test_a_service_that_dies_at_start_is_3_with_its_last_words(folder):
    change_system(folder, "python tests/runs/system/front.py", "python -c 1/0")

    done = run(folder)

    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stdout
    assert no_process_left()


def test_postgresql_that_cannot_start_is_3_and_named(folder):
    change_system(
        folder,
        "  front:",
        "  db: {kind: postgresql, database: template1}\n  front:",
    )
    change_system(folder, "links:", "links:\n  front -> db: {variable: ATLAS_DB_ADDRESS}")

    done = run(folder)

    assert done.returncode == 3
    assert "service 'db'" in done.stdout
    assert "already exists" in done.stdout
    assert no_process_left()


def test_a_saved_run_whose_history_is_damaged_is_4(folder):
    run(folder)
    history = folder / "reports" / "runs" / NAME / "history.ndjson"
    history.write_text("not json\n")

    done = atlas_chaos("judge", history.parent)

    assert done.returncode == 4
    assert "history line 1 is no record" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_130_and_leaves_nothing(folder, how):
    running = start(folder)
    wait_for_phase(folder)

    running.send_signal(how)
    _, errors = running.communicate(timeout=30)

    assert running.returncode == 130, errors
    assert no_process_left()
    assert not any(NAME in path.name for path in work_folders())


def test_ctrl_c_twice_still_cleans_up(folder):
    running = start(folder)
    wait_for_phase(folder)

    running.send_signal(signal.SIGINT)
    block_s(0.05)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)

    assert running.returncode in {130, -signal.SIGINT}
    wait_until_clean()


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "harness.cli", "run", str(folder / f"{NAME}.chaos.yaml")),
            *("--report-dir", str(folder / "reports"), "--time-scale", "1"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_phase(folder: Path) -> None:
    """Wait until the load has begun."""
    load = folder / "reports" / "runs" / NAME / "load.ndjson"
    for _ in range(600):
        if load.exists() and load.stat().st_size:
            return
        block_s(0.05)
    raise AssertionError("the run did not begin within 30 s")


def no_process_left() -> bool:
    return not [run_id for run_id, _ in world.marked_runs() if run_id.startswith(f"{NAME}-")]


def wait_until_clean() -> None:
    for _ in range(300):
        if no_process_left():
            return
        block_s(0.05)
    raise AssertionError(f"left: {list(world.marked_runs())}")


def test_clean_removes_what_a_killed_run_with_a_killed_watchdog_left(folder):
    running = start(folder)
    wait_for_phase(folder)
    kill_watchdog_of(f"{NAME}-")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    assert not no_process_left()

    done = atlas_chaos("clean")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed process" in done.stdout
    assert no_process_left()
    assert not any(NAME in path.name for path in work_folders())


def kill_watchdog_of(prefix: str) -> None:
    """Kill the watchdog and its harness's chance to be cleaned up after."""
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:  # gone, or a zombie, since the list was made
            continue
        if "harness.environments.watchdog" in words and words[-1].startswith(prefix):
            process.kill()
            return
    raise AssertionError("there is no watchdog")


def test_clean_leaves_a_living_run_alone(folder):
    running = start(folder)
    wait_for_phase(folder)

    done = atlas_chaos("clean")
    running.communicate(timeout=60)

    assert "still going on; left alone" in done.stdout
    assert running.returncode == 0


def test_keep_leaves_the_system_up_until_clean(folder):
    done = run(folder, "--keep")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert not no_process_left()
    finally:
        atlas_chaos("clean")
    assert no_process_left()


def test_doctor_says_what_this_machine_can_do():
    done = atlas_chaos("doctor")

    assert done.returncode == 0, done.stderr
    assert "PostgreSQL:" in done.stdout
    assert "  prometheus " in done.stdout
    assert "share below 100%" in done.stdout  # the last row of the matrix of faults


def test_list_shows_claims_and_faults():
    done = atlas_chaos("list", "-k", "dead_database")

    assert done.returncode == 0
    assert "down api -> db" in done.stdout


def test_plan_shows_lanes_samples_and_real_rates():
    done = atlas_chaos("plan", "-k", "dead_database", "--time-scale", "0.1")

    assert done.returncode == 0
    assert "60/s real: baseline 240" in done.stdout


@pytest.mark.parametrize(("environment", "scale"), [("processes", "0.1"), ("compose", "0.2")])
def test_time_scale_unless_told_is_that_of_the_environment(environment, scale):
    done = atlas_chaos("plan", "-k", "dead_database", "--environment", environment)

    assert done.returncode == 0, done.stderr
    assert f"real at time scale {scale}," in done.stdout
    assert scale in atlas_chaos("plan", "--help").stdout.partition("--time-scale")[2]


def test_summary_and_exit_code_agree(folder):
    run(folder)

    document = json.loads((folder / "reports" / "summary.json").read_text())

    assert document["verdict"] == "PASSED"
