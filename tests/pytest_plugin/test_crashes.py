"""A crashed worker is told once, nothing hangs, and nothing vanishes."""

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("dist", "workers"), [("load", "2"), ("loadfile", "1"), ("loadgroup", "2"), ("loadscope", "1")]
)
def test_crash_is_told_once_and_every_other_scenario_is_judged_or_named(project, dist, workers):
    names = [f"it_{index}" for index in range(9)]  # so many that a queue is left at the crash
    for name in names:
        project.scenario(name, "crash" if name == "it_1" else "pass")

    session = project.run("-n", workers, f"--dist={dist}", "--alluredir=allure")

    assert session.code == 1
    crashes = [line for line in session.output.splitlines() if line.startswith("ERROR scenarios")]
    assert len(crashes) == 1
    assert "it_1" in crashes[0]
    found = {result["fullName"].partition("#")[2]: result for result in session.allure()}
    assert sorted(found) == names
    assert found["it_1"]["status"] == "broken"
    assert "crashed while running" in found["it_1"]["statusDetails"]["message"]
    for name in names:
        is_named = f"NOT JUDGED scenarios/{name}.chaos.yaml::{name} - never run" in session.output
        assert found[name]["status"] == "passed" or is_named or name == "it_1"


def test_crash_result_has_the_labels_of_its_file(project):
    project.scenario("it_crashes", "crash")

    session = project.run("-n", "1", "--alluredir=allure")

    (result,) = session.allure()
    assert {"name": "parentSuite", "value": "shop"} in result["labels"]


def test_crash_in_a_session_without_scenarios_is_left_to_pytest_xdist(project):
    (project.folder / "test_plain.py").write_text(
        "import os\ndef test_a(): os._exit(1)\ndef test_b(): pass\n"
    )

    session = project.run("-n", "1", "--dist=loadfile", "--max-worker-restart=1")

    assert session.code == 1
    assert "maximum crashed workers reached: 1" in session.output  # it crashed on test_a twice
