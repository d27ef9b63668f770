"""An interrupted session is never green, heals, and names what it did not judge."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness.clock import block_s

pytestmark = pytest.mark.slow

_STEPS = 400  # of 50 ms: a cold start of two workers took 8 s on a busy machine


def wait_for(path: Path) -> None:
    for _ in range(_STEPS):
        if path.exists():
            return
        block_s(0.05)
    pytest.fail(f"{path} did not appear")


def terminated(project, *arguments, stop=os.kill):
    """Run a session, send SIGTERM while its first scenario runs, and return code and output."""
    project.scenario("it_a_waits", "wait")
    project.scenario("it_b_waits_too", "wait")
    project.scenario("it_c_is_left", "wait")
    process = subprocess.Popen(
        project.command("--alluredir=allure", "--chaos-report-dir=out", *arguments),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        wait_for(project.folder / "out" / "runs" / "it_a_waits" / "waiting")
        stop(process.pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=40)
    finally:
        process.kill()
        process.wait()
    return process.returncode, output


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["serial", "one_worker"])
def test_sigterm_heals_and_ends_like_an_interruption(project, arguments):
    code, output = terminated(project, *arguments)

    assert code == 2
    assert (project.folder / "out" / "runs" / "it_a_waits" / "healed").exists()
    assert "NOT JUDGED scenarios/it_a_waits.chaos.yaml::it_a_waits - interrupted" in output
    assert "NOT JUDGED scenarios/it_c_is_left.chaos.yaml::it_c_is_left - never run" in output


def test_sigterm_to_the_whole_process_group_heals_too(project):
    code, output = terminated(project, "-n", "1", stop=os.killpg)

    assert code == 2
    assert (project.folder / "out" / "runs" / "it_a_waits" / "healed").exists()
    assert "NOT JUDGED scenarios/it_a_waits.chaos.yaml::it_a_waits - interrupted" in output


def test_interrupted_scenario_is_broken_in_allure_and_the_rest_is_named(project):
    project.scenario("it_a", "pass")
    project.scenario("it_b", "interrupt")
    project.scenario("it_c", "pass")

    session = project.run("--alluredir=allure", "--chaos-report-dir=out")

    assert session.code == 2
    found = {item["name"]: (item["status"], item.get("statusDetails")) for item in session.allure()}
    assert found["it a"][0] == "passed"
    assert found["it b"][0] == "broken"
    assert "interrupted before its verdict" in found["it b"][1]["message"]
    assert found["it c"][0] == "broken"
    assert "never run" in found["it c"][1]["message"]
    assert len(session.allure()) == 3


def test_first_failure_with_x_leaves_the_rest_named_and_not_green(project):
    project.scenario("it_a", "fail")
    project.scenario("it_b", "pass")

    session = project.run("-x")

    assert session.code == 1
    assert "NOT JUDGED scenarios/it_b.chaos.yaml::it_b - never run" in session.output


def test_session_that_loses_a_scenario_is_not_green(project):
    project.scenario("it_a", "pass")
    project.scenario("it_b", "pass")
    project.conftest(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    return True if item.name == 'it_b' else None\n"
    )

    session = project.run()

    assert session.code == 1
    assert "NOT JUDGED scenarios/it_b.chaos.yaml::it_b - never run" in session.output
