"""A run's worth of surroundings for one or two tiny services."""

import asyncio
import os
import sys
import urllib.request
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from harness.clock import SystemClock
from harness.environments import child
from harness.environments.guard import watched
from harness.environments.journal import Journal
from harness.environments.ports import Ports
from harness.environments.process_faults import ProcessFaults
from harness.environments.resource_faults import ResourceFaults
from harness.environments.services import ServiceProcess
from harness.environments.undo import undo_all
from harness.environments.world import MARK
from harness.model.records import ProcessRecord
from harness.model.system import Service, ServiceKind

TINY = Path(__file__).with_name("tiny_service.py")


@dataclass
class Surroundings:
    """Services of one run, their journal, and what they told."""

    services: dict[str, ServiceProcess]
    journal: Journal
    work: Path
    logs: Path
    run_id: str
    records: list[ProcessRecord] = field(default_factory=list)

    def processes(self) -> ProcessFaults:
        return ProcessFaults(self.services, journal=self.journal, clock=SystemClock())

    def resources(self) -> ResourceFaults:
        return ResourceFaults(
            self.services,
            journal=self.journal,
            clock=SystemClock(),
            run_id=self.run_id,
            logs=self.logs,
        )

    async def ask(self, service: str, path: str = "/ok") -> tuple[int, str]:
        """Return status and body of a request; it may take 5 s."""
        url = f"http://127.0.0.1:{self.services[service].port}{path}"
        return await asyncio.to_thread(fetch, url)


def fetch(url: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def tiny(name: str, *arguments: str, **more) -> Service:
    command = (sys.executable, str(TINY), *arguments)
    return Service(name=name, command=command, ready_path="/ok", stop_within_s=1.0, **more)


def database(name: str, **more) -> Service:
    return Service(name=name, kind=ServiceKind.POSTGRESQL, **more)


@pytest.fixture
def surroundings(tmp_path):
    """Make one run's surroundings for the services that the test names."""

    @asynccontextmanager
    async def run(*services: Service, start: bool = True):
        run_id = f"{tmp_path.name}-{os.getpid()}"[-60:]
        logs = tmp_path / "logs"
        logs.mkdir()
        async with AsyncExitStack() as stack:
            guard = await stack.enter_async_context(watched(run_id, logs / "watchdog.log"))
            stack.callback(undo_all, guard.folder, run_id)
            ports = stack.enter_context(Ports(Random(tmp_path.name)))
            made = Surroundings({}, Journal(guard.folder), guard.folder, logs, run_id)
            stack.callback(made.journal.close)
            for service in services:
                port = ports.take()
                made.services[service.name] = ServiceProcess(
                    service,
                    port=port,
                    environment=child.inherited_environment(
                        **{MARK: run_id, "ATLAS_PORT": str(port)}
                    ),
                    folder=guard.folder,
                    logs=logs,
                    clock=SystemClock(),
                    record=made.records.append,
                )
                stack.push_async_callback(made.services[service.name].stop)
            if start:
                await asyncio.gather(*(one.start() for one in made.services.values()))
            yield made

    return run
