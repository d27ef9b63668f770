"""The entry point is harmless in every repository, and loads nothing before it has to."""

import pytest

pytestmark = pytest.mark.slow

_PLAIN = "import sys\ndef test_plain():\n    assert 'harness' not in sys.modules\n"
_FOREIGN = "VALUE = 'theirs'\n"
_USES = "import harness\ndef test_theirs():\n    assert harness.VALUE == 'theirs'\n"


@pytest.fixture
def foreign(project):
    (project.folder / "conftest.py").unlink()
    (project.folder / "harness").mkdir()
    (project.folder / "harness" / "__init__.py").write_text(_FOREIGN)
    (project.folder / "test_theirs.py").write_text(_USES)
    return project


def test_harness_is_not_imported_in_a_session_without_scenarios(project):
    (project.folder / "conftest.py").unlink()
    (project.folder / "test_plain.py").write_text(_PLAIN)

    session = project.run()

    assert session.code == 0
    assert "atlas-chaos:" not in session.output


def test_harness_of_somebody_else_without_scenarios_is_not_mentioned(foreign):
    session = foreign.run()

    assert session.code == 0
    assert "atlas-chaos:" not in session.output


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "one_worker"])
def test_harness_of_somebody_else_leaves_scenarios_alone_and_says_so_in_one_line(foreign, workers):
    foreign.scenario("it_a", "fail")

    session = foreign.run(*workers)

    assert session.code == 0
    assert "1 passed" in session.output
    told = [line for line in session.output.splitlines() if line.startswith("atlas-chaos:")]
    assert len(told) == 1
    assert "'harness' is harness/__init__.py here" in told[0]
