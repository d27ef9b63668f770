"""A system in containers that several tests share, and how they look at it from outside."""

import asyncio
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import SystemClock, block_s
from harness.composition import load
from harness.environments import labelled
from harness.environments.compose import ComposeEnvironment
from harness.environments.compose.machine import find_machine
from harness.model.run import RunSettings
from harness.model.scenario import Scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "lookups_survive_a_dead_database.chaos.yaml"
LOOKUP = "/v1/lookup?lat=43.07305&lon=-89.40123"


def settings(folder: Path, run_id: str) -> RunSettings:
    return RunSettings(environment="compose", seed=7, time_scale=0.1, folder=folder, run_id=run_id)


class Running:
    """A system in containers that all tests of a file share, and its event loop."""

    def __init__(
        self,
        folder: Path,
        scenario: Scenario | None = None,
        *,
        proxy: ProxyKind = ProxyKind.TOXIPROXY,
    ) -> None:
        self.scenario = scenario or load([SCENARIO])[0]
        self.proxy = proxy
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.records = []
        # With our process id, since another session on this machine may be as far as we are.
        self.run_id = f"contract-{os.getpid()}-{folder.name}"
        self.folder = folder

    def start(self) -> None:
        self.system = self.run(
            self.stack.enter_async_context(
                ComposeEnvironment(clock=SystemClock(), proxy=self.proxy).start(
                    self.scenario, settings(self.folder, self.run_id), self.records.append
                )
            )
        )

    def run(self, work):
        return self.runner.run(work)

    def close(self) -> None:
        with self.runner:
            self.run(self.stack.aclose())

    def statuses(self) -> dict[str, str]:
        """Return what the engine says of each container, past the harness's own library."""
        form = '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}}'
        ids = docker("ps", "-aq", "--filter", f"label={labelled.label_of(self.run_id)}").split()
        return dict(line.split() for line in docker("inspect", "-f", form, *ids).splitlines())

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        labels = (labelled.label_of(self.run_id), f"com.docker.compose.service={service}")
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        return docker("ps", "-aq", *filters).strip()

    def inside(self, service: str, program: str, *, environment: str = "A=") -> str:
        """Run a program of Python in a service's container, and return what it said."""
        container = self.container(service)
        return docker("exec", "-e", environment, container, "python3", "-c", program).strip()

    def status(self, service: str, path: str = "/v1/health") -> int:
        """Return the status of an answer; 0 if none came within 2 s."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.system.address(service)}{path}", timeout=2) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def source(self) -> str:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{self.system.address('api')}{LOOKUP}", timeout=5) as answer:
            return answer.headers["x-atlas-source"]

    def wait_until_primary(self) -> None:
        """Wait until lookups come from the database: a test before may have opened the circuit."""
        told = ""
        for _ in range(200):  # of 0.1 s; its circuit is open for 3 s
            try:
                told = self.source()
            except urllib.error.HTTPError as refusal:  # and it may be shedding what waited too long
                with refusal:
                    told = f"{refusal}"
            if told == "primary":
                return
            block_s(0.1)
        raise AssertionError(f"lookups still come from {told}")


def running_system(made: Running) -> Iterator[Running]:
    """Start a system for a fixture, stop it, and make sure that nothing is left."""
    try:
        made.start()
        yield made
    finally:
        made.close()
    assert left(made.run_id) == []


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def left(run_id: str) -> list[labelled.Labelled]:
    return labelled.found(labelled.label_of(run_id), host=find_machine().host)
