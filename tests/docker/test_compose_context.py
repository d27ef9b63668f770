"""The engine is the one that Docker's own command line would use: of the chosen context."""

import json
import subprocess
from pathlib import Path

import pytest

from harness.environments.compose.machine import find_machine
from tests.docker.own_project import arguments_of, leftovers, write_project
from tests.docker.severable_line import severable_line
from tests.runs.conftest import atlas_chaos

pytestmark = [pytest.mark.slow, pytest.mark.docker]

RUN_WITHIN_S = 120  # 10 s on an idle machine


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def write_configuration(folder: Path) -> None:
    """Write a configuration of Docker's client that has the plugins of the user's own."""
    plugins = json.loads(docker("info", "--format", "{{json .ClientInfo.Plugins}}"))
    folders = sorted({str(Path(one["Path"]).parent) for one in plugins})
    folder.mkdir()
    settings = {"currentContext": "mine", "cliPluginsExtraDirs": folders}
    (folder / "config.json").write_text(json.dumps(settings))


@pytest.mark.usefixtures("images")
def test_a_run_goes_to_the_engine_of_the_chosen_context(tmp_path, monkeypatch):
    file = write_project(tmp_path, f"context_{tmp_path.name}")
    engine = find_machine().host
    write_configuration(tmp_path / "config")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    with severable_line(tmp_path / "engine.sock", engine) as line:
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
        docker("--host", engine, "context", "create", "mine", "--docker", f"host={line.host}")
        done = atlas_chaos(*arguments_of(file), timeout_s=RUN_WITHIN_S)
        doctor = atlas_chaos("doctor")
        left = leftovers(file)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f" at {line.host}, Compose " in doctor.stdout
    assert left == []
