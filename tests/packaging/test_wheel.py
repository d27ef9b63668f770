"""The wheel holds what it says, and is a good guest in a repository with a `harness` of its own."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BOUND_S = 120  # building takes 2 s; a machine with two busy cores takes longer

pytestmark = pytest.mark.slow


def environment(site: Path) -> dict[str, str]:
    """Return an environment in which `site` comes before this project's own installation."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "CI", "COV"))}
    return {**kept, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "100"}


def run(*command: str, cwd: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(site),
        capture_output=True,
        text=True,
        timeout=_BOUND_S,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run(
        [*command, str(ROOT)], capture_output=True, text=True, timeout=_BOUND_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's files; the dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a user's repository that has a `harness` package and a test of it."""
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness" / "__init__.py").write_text("VALUE = 'theirs'\n")
    (tmp_path / "test_theirs.py").write_text(
        "import harness\n\ndef test_theirs():\n    assert harness.VALUE == 'theirs'\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return tmp_path


def notices(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("atlas-chaos:")]


def test_wheel_holds_the_packages_and_one_entry_point_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (points,) = [name for name in names if name.endswith("entry_points.txt")]
        text = archive.read(points).decode()

    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {
        "harness",
        "fault_injectors",
        "resilience",
        "shadow_atlas",
        "atlas_chaos_pytest.py",
    }
    assert "[pytest11]\natlas_chaos = atlas_chaos_pytest" in text
    assert "[console_scripts]\natlas-chaos = harness.cli:main" in text
    assert "harness/reporting/allure_categories.json" in names
    assert "harness/py.typed" in names


def test_repository_with_its_own_harness_runs_untouched_and_in_silence(site, repository):
    done = run(sys.executable, "-m", "pytest", cwd=repository, site=site)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert notices(done.stdout + done.stderr) == []


def test_scenario_beside_a_foreign_harness_gives_one_line_and_no_failure(site, repository):
    (repository / "it.chaos.yaml").write_text("claim: It holds.\n")

    done = run(sys.executable, "-m", "pytest", cwd=repository, site=site)

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(notices(done.stdout)) == 1
    assert "'harness' is harness/__init__.py here" in notices(done.stdout)[0]


def test_scenario_without_a_foreign_harness_is_collected_by_the_wheel(site, tmp_path):
    (tmp_path / "it.chaos.yaml").write_text("claim: It holds.\nnonsense: 1\n")

    done = run(sys.executable, "-m", "pytest", cwd=tmp_path, site=site)

    assert done.returncode == 2, done.stdout + done.stderr
    assert "it.chaos.yaml:2:1" in done.stdout


@pytest.fixture
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("bin") / "atlas-chaos"  # as an installer writes it
    path.write_text("import sys\nfrom harness.cli import main\nsys.exit(main())\n")
    return str(path)


def test_command_works_in_a_repository_with_its_own_harness(site, repository, script):
    done = run(sys.executable, script, "--help", cwd=repository, site=site)

    assert done.returncode == 0, done.stderr
    assert "atlas-chaos run" in done.stdout


_FAULT = """\
  - fault: latency
    link: greeter -> names
    delay: 10s                     # the greeter waits 0.3 s for a name, whatever the time scale
"""
_PRESSURE = """\
  - fault: cpu_pressure
    service: greeter
    workers: 1
"""


@pytest.mark.parametrize("fault", [_FAULT, _PRESSURE], ids=["latency", "cpu_pressure"])
def test_run_works_in_a_repository_with_its_own_harness(site, repository, script, fault):
    done = run(sys.executable, script, "init", cwd=repository, site=site)
    assert done.returncode == 0, done.stderr
    (scenario,) = (repository / "chaos").glob("*.chaos.yaml")
    text = scenario.read_text()
    assert _FAULT in text
    scenario.write_text(text.replace(_FAULT, fault))

    done = run(sys.executable, script, "run", "chaos", cwd=repository, site=site)

    # What the checks make of pressure depends on the machine; that all the processes came up and
    # the fault was applied does not.
    codes = {0} if fault == _FAULT else {0, 1}
    assert done.returncode in codes, done.stdout + done.stderr
    (history,) = repository.glob("**/history.ndjson")
    assert '"applied"' in history.read_text()


def test_it_is_the_wheel_that_is_tested_and_not_this_checkout(site, tmp_path):
    program = "import harness; print(harness.__file__)"

    done = run(sys.executable, "-c", program, cwd=tmp_path, site=site)

    assert done.stdout.startswith(str(site))
