"""A whole Shadow Atlas in containers, started once and removed whatever happens."""

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir

import httpx
import pytest

from tests.docker.running import Running, running_system

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / ".tools" / "docker.env"
IMAGES_WITHIN_S = 900  # from nothing it took 200 and 394 s on two busy cores
UP_WITHIN_S = 240  # 28 to 117 s on two busy cores (load 20 to 30)
DOWN_WITHIN_S = 60
# Empty ports are chosen by the engine, so that a stack of the user's stays undisturbed.
PUBLISHED = ("api", "batch", "ipfs", "toxiproxy", "prometheus")
FREE_PORTS = {f"ATLAS_{name.upper()}_PORT": "" for name in PUBLISHED}


def pytest_configure(config):
    config.addinivalue_line("markers", "docker: needs a Docker engine; ATLAS_DOCKER=1 runs it")


def pytest_collection_modifyitems(items):
    if os.environ.get("ATLAS_DOCKER") == "1":
        return
    skip = pytest.mark.skip(
        reason="NOT RUN: containers are only started with ATLAS_DOCKER=1 "
        "(scripts/docker_engine.sh start gets an engine)"
    )
    for item in items:
        if item.get_closest_marker("docker"):
            item.add_marker(skip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One project of Compose, named so that it never meets another one."""

    project: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, within_s: float = 60) -> str:
        command = ["docker", "compose", "--env-file", str(IMAGES), "-p", self.project, *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **FREE_PORTS, **self.environment},
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def up(self, *services: str) -> None:
        within = ("--wait", "--wait-timeout", str(UP_WITHIN_S))
        self.compose("up", "-d", *within, *services, within_s=UP_WITHIN_S + 30)

    def down(self) -> None:
        self.compose("down", "-v", "--timeout", "10", within_s=DOWN_WITHIN_S)

    def client(self, service: str, port: int = 8080) -> httpx.Client:
        """Return a client of a published port, which changes whenever its container starts."""
        address = self.compose("port", service, str(port)).strip()
        return httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=30)

    def leftovers(self) -> list[str]:
        """Return every container, volume and network that carries this run's label."""
        return objects_of(self.environment["ATLAS_RUN"])


def objects_of(run_id: str) -> list[str]:
    """Return every container, volume and network of a run, by a client that is not ours."""
    found = []
    for kind in (("ps", "-a"), ("volume", "ls"), ("network", "ls")):
        command = ["docker", *kind, "--quiet", "--filter", f"label=atlas-chaos.run={run_id}"]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        found += [f"{kind[0]} {line}" for line in listed.stdout.split()]
    return found


def new_stack(name: str) -> Stack:
    project = f"atlas-{name}-{os.getpid()}"
    return Stack(project=project, environment={"ATLAS_RUN": project})


@pytest.fixture(scope="session")
def images() -> Path:
    """Have all images, built or pulled."""
    script = ROOT / "scripts" / "docker_images.sh"
    done = subprocess.run(
        [str(script)], capture_output=True, text=True, timeout=IMAGES_WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return IMAGES


@pytest.fixture
def only_clean() -> Iterator[None]:
    """Keep other workers from `atlas-chaos clean` meanwhile: it looks at the whole machine."""
    with (Path(gettempdir()) / "chaos-tests-clean.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def stack(images) -> Iterator[Stack]:  # noqa: ARG001 -- it needs them built, not named
    """Start everything, wait until it is healthy, and leave nothing."""
    started = new_stack("stack")
    try:
        started.up()
        yield started
    finally:
        started.down()
    assert started.leftovers() == []


@pytest.fixture(scope="module")
def running(images, tmp_path_factory) -> Iterator[Running]:  # noqa: ARG001 -- it needs them built, not named
    """Start a system as a run does, in containers, for the faults of one file."""
    yield from running_system(Running(tmp_path_factory.mktemp("run")))
