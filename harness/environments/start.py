"""Start the services of one run in the right order, and stop them again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from harness.clock import Clock
from harness.environments import child, world
from harness.environments.journal import pending
from harness.environments.network import ProxiedLink
from harness.environments.ports import Ports
from harness.environments.services import ServiceProcess
from harness.environments.undo import in_engine
from harness.environments.world import MARK
from harness.model.errors import WorldNotClean, first_of
from harness.model.run import Recorder, RunSettings
from harness.model.scenario import Scenario
from harness.model.seeds import derive_seed
from harness.model.system import EventSource, Link, ServiceKind, System

_CLEAN_WITHIN_S = 3.0
_POLL_S = 0.05


class Start:
    """The making of one run's processes.

    Args:
        scenario: The scenario, scaled.
        settings: Seed, time scale and folder of the run.
        work: Work folder, removed at the end.
        ports: Hands out loopback ports.
        clock: Clock of the run.
        record: Takes the records of processes.
    """

    def __init__(
        self,
        *,
        scenario: Scenario,
        settings: RunSettings,
        work: Path,
        ports: Ports,
        clock: Clock,
        record: Recorder,
    ) -> None:
        self.scenario = scenario
        self.settings = settings
        self.ports = ports
        self.logs = subfolder(settings.folder, "logs")
        self.events = subfolder(settings.folder, "events")
        self.token = f"{derive_seed(settings.seed, 'token', settings.run_id):016x}"
        self._work = work
        self._clock = clock
        self.record = record
        self._names = scenario.services()
        self._ports = {name: ports.take() for name in self._names}

    def links(self) -> list[ProxiedLink]:
        """Return the links among the started services."""
        return [
            ProxiedLink(link=spec.link, upstream=f"127.0.0.1:{self._ports[spec.link.server]}")
            for spec in self.scenario.system.links
            if spec.link.client in self._names
        ]

    def port(self, service: str) -> int:
        """Return the port on loopback that a service of the run has."""
        return self._ports[service]

    def environment(self, service: str) -> dict[str, str]:
        """Return the variables that every process of the run gets."""
        return child.inherited_environment(
            **{MARK: self.settings.run_id},
            ATLAS_SERVICE=service,
            ATLAS_HOST="127.0.0.1",
            ATLAS_EVENT_DIR=str(self.events),
            ATLAS_CHAOS_TOKEN=self.token,
            ATLAS_SEED=str(derive_seed(self.settings.seed, "service", service) % 2**31),
            ATLAS_TIME_SCALE=repr(self.settings.time_scale),
        )

    def services(self, addresses: Mapping[Link, str]) -> dict[str, ServiceProcess]:
        """Return the services, upstreams first, not yet started.

        Args:
            addresses: Where the client of each link finds its server: the fault proxy.
        """
        return {name: self._service(name, addresses) for name in self._names}

    def _service(self, name: str, addresses: Mapping[Link, str]) -> ServiceProcess:
        service = self.scenario.system.service(name)
        upstreams = {
            spec.variable: addresses[spec.link]
            for spec in self.scenario.system.links
            if spec.link.client == name
        }
        variables = {
            **self.environment(name),
            "ATLAS_PORT": str(self._ports[name]),
            **upstreams,
            **service.environment,
            **self.scenario.variables.get(name, {}),
        }
        if service.events is not EventSource.FILE:
            variables.pop("ATLAS_EVENT_DIR")  # or what it streams would be told twice
        return ServiceProcess(
            service,
            port=self._ports[name],
            environment=variables,
            folder=self._work,
            logs=self.logs,
            clock=self._clock,
            record=self.record,
        )

    async def run(self, services: Mapping[str, ServiceProcess]) -> None:
        """Start all services at once; one with a `prepare` waits for its upstreams.

        Raises:
            ServiceNotReady: If one of them is not ready in time.
        """
        order = _Order(self.scenario.system, services)
        try:
            async with asyncio.TaskGroup() as group:
                for name in services:
                    group.create_task(order.start(name))
        except ExceptionGroup as several:
            raise first_of(several) from several

    async def stop(self, services: Mapping[str, ServiceProcess]) -> None:
        """Stop the programs, then their databases, unless the system is to be kept."""
        if self.settings.keep:
            return
        for kind in (ServiceKind.COMMAND, ServiceKind.POSTGRESQL):
            running = [one for one in services.values() if one.service.kind is kind]
            await asyncio.gather(*(one.stop() for one in running))

    @asynccontextmanager
    async def leaving_a_clean_world(self) -> AsyncIterator[None]:
        """Demand a clean world on leaving; an error on the way there is told before what is left.

        Raises:
            WorldNotClean: As `demand_clean_world`.
        """
        try:
            yield
        finally:  # unlike a callback of an exit stack, this keeps the error as the context
            await self.demand_clean_world()

    async def demand_clean_world(self) -> None:
        """Remove the work folder and make sure that nothing else is left.

        The folder stays if something was not undone: its journal says what is due.

        Raises:
            WorldNotClean: If something is still there, naming it.
        """
        left: list[str] = []
        for _ in range(int(_CLEAN_WITHIN_S / _POLL_S)):
            alive = world.processes_of(self.settings.run_id, self._work)
            left = [f"process {process.pid} {process.name()}" for process in alive]
            left += [f"listener on port {port}" for port in self.ports.still_taken()]
            left += [f"what was not undone: {one['act']}" for one in in_engine(pending(self._work))]
            if not left:
                break
            await self._clock.sleep(_POLL_S)
        if left:
            raise WorldNotClean(f"left behind by run {self.settings.run_id}: {', '.join(left)}")
        await asyncio.to_thread(world.remove_folder, self._work)


class _Order:
    """Who waits for whom while a system starts."""

    def __init__(self, system: System, services: Mapping[str, ServiceProcess]) -> None:
        self._system = system
        self._services = services
        self._ready = {name: asyncio.Event() for name in services}
        self._prepared: dict[tuple[str, ...], asyncio.Lock] = {}
        self._done: set[tuple[str, ...]] = set()

    async def start(self, name: str) -> None:
        """Start one service, after its upstreams and preparations if it has any of these."""
        service = self._services[name]
        if service.service.prepare:
            for server in self._system.upstreams(name):
                await self._ready[server].wait()
            for command in service.service.prepare:
                await self._prepare(service, command)
        await service.start()
        self._ready[name].set()

    async def _prepare(self, service: ServiceProcess, command: tuple[str, ...]) -> None:
        """Run a command once, even if several services name it; the others wait for it."""
        async with self._prepared.setdefault(command, asyncio.Lock()):
            if command not in self._done:
                await service.run_once(command)
                self._done.add(command)


def subfolder(folder: Path, name: str) -> Path:
    """Return a folder inside a run's folder, made if it is not there, as an absolute path."""
    path = folder.resolve() / name
    path.mkdir(parents=True, exist_ok=True)
    return path
