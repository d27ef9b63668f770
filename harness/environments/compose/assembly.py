"""Put the containers of one run together and start them in the right order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import Clock
from harness.environments import labelled
from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.differences import differences_of, labels_of
from harness.environments.compose.disks import ContainerDisks
from harness.environments.compose.override import override_text
from harness.environments.compose.preparation import Preparation
from harness.environments.compose.project import Making, Project
from harness.environments.compose.prometheus import ContainedPrometheus
from harness.environments.compose.proxy import ContainedProxy
from harness.environments.compose.reuse import databases_of
from harness.environments.compose.stack import PROMETHEUS
from harness.environments.compose.told import ContainerEvent
from harness.environments.journal import Journal
from harness.environments.network import ProxiedNetwork
from harness.environments.prometheus import Prometheus
from harness.environments.start import Start
from harness.model.errors import HarnessError, ServiceNotReady, first_of
from harness.model.system import ServiceKind


class Assembly:
    """The containers of one run, from their making to their removal.

    Args:
        start: The start of the run.
        project: What its containers belong to.
        clock: Clock of the run.
        proxy: Which fault proxy the run has.
        preparation: As `reuse.preparation_of` tells.
    """

    def __init__(
        self,
        start: Start,
        project: Project,
        *,
        clock: Clock,
        proxy: ProxyKind,
        preparation: str | None,
    ) -> None:
        self.start = start
        self.engine = project.engine
        self.services: dict[str, ServiceContainer] = {}
        self._project = project
        self._stack = project.stack
        self._clock = clock
        self._names = start.scenario.services()
        self._proxy = ContainedProxy(start.ports.take(), proxy)
        alerts = start.scenario.alerts
        self._prometheus = (
            None if alerts is None else ContainedPrometheus(start, alerts, project.stack)
        )
        self._containers: dict[str, str] = {}
        self._is_proxied = asyncio.Event()
        self._ready = {name: asyncio.Event() for name in self._names}
        self._preparation = Preparation(
            project, by=preparation, databases=self._databases(), clock=clock
        )

    def _databases(self) -> dict[int, str]:
        """Return the names of the databases of the run by their ports on loopback."""
        return {
            self.start.port(name): self.start.scenario.system.service(name).database
            for name in databases_of(self.start.scenario)
        }

    @property
    def proxy_container(self) -> str:
        """Return the id of the container that carries every link."""
        return self._containers[self._proxy.service]

    @asynccontextmanager
    async def made(self) -> AsyncIterator[None]:
        """Make all containers, not started; leaving keeps their logs, stops and removes them.

        Raises:
            ServiceNotReady: If they cannot be made.
            WorldNotClean: On leaving, if something of the run is still there.
        """
        self._project.holders |= self._stack.holders(databases_of(self.start.scenario))
        self._containers = await self._project.make(self._making())
        self.services = {name: self._service(name) for name in self._names}
        try:
            yield
        finally:
            await self._save_logs()
            await self._stop()
            await self._project.clear()

    def _making(self) -> Making:
        override = self.start.events.parent / "compose.override.yml"
        folders = {"ATLAS_EVENTS": str(self.start.events)}
        helpers = {self._proxy.service: self._proxy.port}
        if self._prometheus is not None:
            self._prometheus.write()
            helpers[PROMETHEUS] = self._prometheus.site.port
            folders["ATLAS_MONITORING"] = str(self._prometheus.site.settings)
        differences = differences_of(self.start, self._stack, helpers)
        override.write_text(
            override_text(self._stack, differences, labels_of(self.start)), encoding="utf-8"
        )
        return Making(
            services=self._stack.made_for(self._names, list(helpers)),
            override=override,
            folders=folders,
            log=self.start.logs / "compose.log",
        )

    def _service(self, name: str) -> ServiceContainer:
        return ServiceContainer(
            self.start.scenario.system.service(name),
            container=self._containers[name],
            port=self.start.port(name),
            engine=self.engine,
            clock=self._clock,
            record=self.start.record,
        )

    async def listen(self) -> Callable[[], None]:
        """Hear of every end of a container from now on; return what ends that."""
        by_id = {one.container: one for one in self.services.values()}
        died = {self.proxy_container: self._proxy.died}
        if self._prometheus is not None:
            died[self._containers[PROMETHEUS]] = self._prometheus.died

        def heard(event: ContainerEvent) -> None:
            if event.container in by_id:
                by_id[event.container].heard(event)
            elif event.what == "die" and event.container in died:
                died[event.container]()

        label = labelled.label_of(self.start.settings.run_id)
        return await self.engine.listen(label, heard)

    async def run(self, journal: Journal) -> ProxiedNetwork:
        """Start the fault proxy and all services at once, each as soon as what it needs is there.

        Returns:
            Control over the links of the run.

        Raises:
            ServiceNotReady: If one of them is not ready in time, or the proxy lacks a link.
        """
        try:
            async with asyncio.TaskGroup() as group:
                network = group.create_task(self._network(journal))
                for name in self.services:
                    group.create_task(self._start(name))
        except ExceptionGroup as several:
            raise first_of(several) from several
        return network.result()

    async def _network(self, journal: Journal) -> ProxiedNetwork:
        container = self.proxy_container
        await self.engine.start(container)
        try:
            proxies = await self._proxy.links(self.start.links(), clock=self._clock)
        except ServiceNotReady as error:
            said = (await self.engine.logs(container, lines=12)).decode(errors="replace")
            raise ServiceNotReady(f"{error}\n{said}") from error
        self._is_proxied.set()
        return ProxiedNetwork(self._proxy, proxies, journal=journal)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Prometheus | None]:
        """Start a Prometheus, without waiting for it, if the scenario has alerts."""
        if self._prometheus is None:
            yield None
            return
        container = self._containers[PROMETHEUS]
        async with self._prometheus.started(self.engine, container, clock=self._clock) as asked:
            yield asked

    def disks(self, journal: Journal) -> ContainerDisks:
        """Return control over the disks that services have of their own."""
        disks = {name: self._stack.disk_of(name) for name in self._names}
        return ContainerDisks(
            self.services,
            disks={name: disk for name, disk in disks.items() if disk is not None},
            keepers=self._containers,
            engine=self.engine,
            journal=journal,
        )

    async def _start(self, name: str) -> None:
        """Start a service after all that it finds done: companions, one-shots, and its links."""
        for companion in self._stack.services[name].companions:
            if companion not in self.services:
                await self.engine.start(self._containers[companion])
        if self._stack.services[name].one_shots:
            for server in self.start.scenario.system.upstreams(name):
                await self._ready[server].wait()
            await self._preparation.done(
                {shot: self._containers[shot] for shot in self._stack.services[name].one_shots}
            )
        if self.start.scenario.system.upstreams(name):
            await self._is_proxied.wait()
        await self.services[name].start()
        self._ready[name].set()

    async def _save_logs(self) -> None:
        """Keep what every container said, all at once: an engine that hangs costs one bound."""
        await asyncio.gather(*(self._save_log(name) for name in self._containers))

    async def _save_log(self, name: str) -> None:
        """Keep what a container said; a log that cannot be had must not keep it alive."""
        path = self.start.logs / f"{name}.log"
        try:
            path.write_bytes(await self.engine.logs(self._containers[name]))
        except HarnessError as error:
            path.write_text(f"{error}\n", encoding="utf-8")

    async def _stop(self) -> None:
        """Let the services end by themselves, then their databases, as far as they run."""
        for kind in (ServiceKind.COMMAND, ServiceKind.POSTGRESQL):
            ending = [one for one in self.services.values() if one.service.kind is kind]
            await asyncio.gather(*(one.let_end() for one in ending))
