"""What keeps a run from containers is told with what to do, and nothing is left of it."""

import http.server
import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from harness.clock import block_s
from harness.environments.compose.machine import find_machine
from tests.docker.conftest import ROOT, objects_of
from tests.docker.own_project import (
    TINY,
    arguments_of,
    begin,
    end_of,
    leftovers,
    reports_of,
    run_folder,
    run_id_of,
    told_by,
    wait_until_told,
    write_project,
)
from tests.docker.severable_line import severable_line
from tests.runs.conftest import atlas_chaos

pytestmark = [pytest.mark.slow, pytest.mark.docker]

only_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT RUN: only root may mount a small file system"
)
NAME = f"refused_{os.getpid()}"
RUN_WITHIN_S = 120  # 10 s on an idle machine
MADE_WITHIN_S = 60  # 2 s
GONE_WITHIN_S = 60  # 6 s; an engine that is gone refuses at once


@pytest.fixture
def file(images, tmp_path):  # noqa: ARG001 -- it needs them built, not named
    return write_project(tmp_path, NAME)


def run(file: Path) -> subprocess.CompletedProcess[str]:
    return atlas_chaos(*arguments_of(file), timeout_s=RUN_WITHIN_S)


def refused(file: Path) -> str:
    """Return why a run was refused before anything was started."""
    done = run(file)
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stderr.endswith("\nnothing was started\n")
    assert not reports_of(file).exists()
    return done.stderr


class OldEngine(http.server.BaseHTTPRequestHandler):
    """What an engine of 2017 says of itself."""

    def do_GET(self) -> None:
        told = {"Version": "17.06.0-ce", "ApiVersion": "1.30", "MinAPIVersion": "1.12"}
        self.send_response(200)
        self.send_header("Api-Version", "1.30")
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    do_HEAD = do_GET  # noqa: N815 -- the same, of which the client reads the headers

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "a Unix socket"


@contextmanager
def listening(path: Path) -> Iterator[str]:
    with socketserver.ThreadingUnixStreamServer(str(path), OldEngine) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()


def test_an_engine_that_does_not_answer(file, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{file.parent}/nowhere.sock")

    why = refused(file)

    assert f"no Docker engine answers at unix://{file.parent}/nowhere.sock; start it, or " in why
    assert "scripts/docker_engine.sh start" in why


def test_an_engine_that_does_not_answer_is_a_reason_to_skip_a_folder(file, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{file.parent}/nowhere.sock")

    done = run(file.parent)

    assert done.returncode == 2, done.stdout + done.stderr  # nothing was judged
    assert f"SKIPPED {NAME}: no Docker engine answers" in done.stdout


def test_an_engine_that_is_too_old(file, monkeypatch):
    with listening(file.parent / "old.sock") as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        why = refused(file)

    assert f"the Docker engine at {host} has API 1.30, and 1.41 (Docker 20.10) is needed" in why


def test_a_docker_without_compose(file, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(file.parent / "empty"))
    asked = ["docker", "compose", "version"]
    if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
        pytest.skip("NOT RUN: Compose lies in a folder for all users, which cannot be hidden")

    why = refused(file)

    assert "Docker has no Compose v2 here; install docker-compose-plugin, or build it with" in why


def test_a_context_that_does_not_exist(file, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "moon")

    assert '"moon"' in refused(file)


def test_an_image_that_is_not_here(file):
    names = file.parent / ".tools" / "docker.env"
    names.write_text("ATLAS_IMAGE=atlas-chaos/nowhere:1\n")

    why = refused(file)

    assert "image atlas-chaos/nowhere:1 is not here; scripts/docker_images.sh gets what " in why


def test_a_container_that_dies_at_start(file):
    file.write_text(TINY + "variables: {tiger: {ATLAS_APP: 'no_such_module:app'}}\n")

    done = run(file)

    assert done.returncode == 3, done.stdout + done.stderr
    [sentence] = [line for line in done.stdout.splitlines() if line.startswith("HARNESS ERROR")][:1]
    assert "container of service 'tiger' ended with code" in sentence
    assert "no_such_module" in sentence
    assert "WorldNotClean" not in done.stdout
    assert leftovers(file) == []


def wait_until_made(file: Path) -> int:
    """Wait until Compose makes something for a run, and return the port of its service."""
    override = run_folder(file) / "compose.override.yml"
    for _ in range(MADE_WITHIN_S * 50):
        if override.exists() and objects_of(run_id_of(file)):
            [port] = YAML().load(override)["services"]["tiger"]["ports"]
            return int(port.split(":")[1])
        block_s(0.02)
    raise AssertionError(f"nothing was made within {MADE_WITHIN_S} s: {told_by(file)}")


def test_a_published_port_that_somebody_takes_before_the_start(file):
    process = begin(file)
    with closing(socket.create_server(("127.0.0.1", wait_until_made(file)))) as taken:
        code = end_of(process, within_s=RUN_WITHIN_S)
        port = taken.getsockname()[1]

    assert code == 3, told_by(file)
    assert "docker refused to start a container" in told_by(file)
    assert f"{port}" in told_by(file)
    assert "in use" in told_by(file)
    assert leftovers(file) == []


@contextmanager
def small(folder: Path, *, size: str) -> Iterator[None]:
    """Make a folder hold no more than `size`; leaving gives the machine its memory back."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def assert_told_that_it_is_full(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stderr.startswith("no space left")
    assert "--report-dir" in done.stderr
    assert "Traceback" not in done.stderr


@only_root
def test_a_report_folder_that_is_full(file):
    with small(reports_of(file), size="16k"):
        done = run(file)

    assert_told_that_it_is_full(done)


@only_root
def test_a_report_folder_that_becomes_full_while_it_runs(file):
    with small(reports_of(file), size="64k"):
        done = run(file)
        left = leftovers(file)

    assert_told_that_it_is_full(done)
    assert left == []


@pytest.mark.usefixtures("only_clean")
@pytest.mark.parametrize("moment", ["made", "measured"])
def test_an_engine_that_goes_away_is_told_and_what_it_kept_is_removed_when_it_is_back(
    file, monkeypatch, moment
):
    engine = find_machine().host
    with severable_line(file.parent / "engine.sock", engine) as line:
        monkeypatch.setenv("DOCKER_HOST", line.host)
        process = begin(file)
        if moment == "made":
            wait_until_made(file)
        else:
            wait_until_told(file, ": baseline", process)
        line.cut()
        code = end_of(process, within_s=GONE_WITHIN_S)
        line.mend()
        left = leftovers(file)
        cleaned = atlas_chaos("clean")

        assert code == 3, told_by(file)
        assert {each.split()[0] for each in left} >= {"network", "folder"}
        assert cleaned.returncode == 0, cleaned.stderr
        assert leftovers(file) == []
    [sentence] = [one for one in told_by(file).splitlines() if one.startswith("HARNESS ERROR")][:1]
    assert "docker" in sentence
    advice = "'atlas-chaos clean' has to remove what is left once the engine answers"
    assert advice in " ".join(told_by(file).split())


def test_a_broken_dockerfile_is_named_with_what_failed(images, tmp_path):  # noqa: ARG001 -- built
    for name in ("docker", "scripts", "resilience", "shadow_atlas", "fault_injectors", "harness"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    dockerfile = tmp_path / "docker" / "Dockerfile"
    begun = "ARG BASE_IMAGE=python:3.11-slim\nFROM ${BASE_IMAGE} AS base\n"
    dockerfile.write_text(f"{begun}RUN echo no luck >&2 && false\n")

    done = subprocess.run(
        [tmp_path / "scripts" / "docker_images.sh"],
        env={**os.environ, "ATLAS_STAND_INS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode != 0
    assert "building atlas-chaos/shadow-atlas:" in done.stderr
    assert "no luck" in done.stderr
    assert not (tmp_path / ".tools" / "docker.env").exists()
