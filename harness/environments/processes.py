"""Run a system as real processes on loopback, with a fault proxy between client and server."""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import Clock
from harness.environments import not_offered, postgres, world
from harness.environments.endpoints import ChaosEndpoints
from harness.environments.guard import Guard, watched
from harness.environments.journal import Journal
from harness.environments.network import ProxiedNetwork, fault_proxy
from harness.environments.not_offered import NotOffered
from harness.environments.ports import Ports
from harness.environments.process_faults import ProcessFaults
from harness.environments.processor_waits import recording_waits
from harness.environments.prometheus import Prometheus, site_of
from harness.environments.prometheus_process import find_program, prometheus
from harness.environments.resource_faults import ResourceFaults
from harness.environments.services import ServiceProcess
from harness.environments.standing import Standing, note
from harness.environments.start import Start, subfolder
from harness.environments.started import StartedSystem
from harness.model.errors import MissingDependency
from harness.model.fault import Capability
from harness.model.run import Recorder, RunSettings
from harness.model.scenario import Scenario
from harness.model.seeds import derive_rng
from harness.model.system import ServiceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessCapabilities:
    """What faults may use on real processes."""

    network: ProxiedNetwork
    processes: ProcessFaults
    resources: ResourceFaults
    in_process: ChaosEndpoints
    upstreams: ChaosEndpoints
    attachments: NotOffered = not_offered.ATTACHMENTS
    names: NotOffered = not_offered.NAMES
    limits: NotOffered = not_offered.LIMITS
    disks: NotOffered = not_offered.DISKS
    clocks: NotOffered = not_offered.CLOCKS


class RunningProcesses(StartedSystem):
    """A started system of processes."""

    def standing(self) -> Standing:
        """Return how people reach the system's parts."""
        scenario, network = self._start.scenario, self._network
        return Standing(
            run_id=self._start.settings.run_id,
            system=scenario.system.name,
            path=str(scenario.system.path.resolve()),
            time_scale=self._start.settings.time_scale,
            pid=os.getpid(),
            services={name: self.address(name) for name in scenario.services()},
            links={str(link): address for link, address in network.addresses().items()},
            proxy=network.control,
            token=self._start.token,
            folder=str(self._start.events.parent),
        )


class ProcessesEnvironment:
    """Real processes on loopback addresses of this host."""

    name = "processes"

    def __init__(self, *, clock: Clock, proxy: ProxyKind) -> None:
        self._clock = clock
        self._proxy = proxy

    def offers(self) -> frozenset[Capability]:
        """Return the capabilities of processes; a seeded share needs the embedded proxy."""
        offered = {
            Capability.NETWORK,
            Capability.PROCESS,
            Capability.RESOURCE,
            Capability.IN_PROCESS,
            Capability.UPSTREAM,
        }
        if self._proxy is ProxyKind.EMBEDDED:
            offered.add(Capability.NETWORK_SHARE)
        return frozenset(offered)

    def missing(self, scenario: Scenario) -> list[str]:
        """Return what of the scenario processes cannot do, or which programs are lacking here."""
        return [*dict.fromkeys(self._faults(scenario)), *self._programs(scenario)]

    def proxy_for(self, scenario: Scenario) -> ProxyKind:  # noqa: ARG002 -- protocol
        """Return the fault proxy of all runs."""
        return self._proxy

    def _faults(self, scenario: Scenario) -> Iterator[str]:
        # A share of connections is a matter of the proxy, and refused by the plan.
        possible = self.offers() | {Capability.NETWORK_SHARE}
        for entry in scenario.timeline:
            for lacking in sorted(entry.fault.needs - possible):
                yield (
                    f"fault {entry.fault.name!r} needs {lacking} control, which only containers "
                    "offer; run it with --environment compose"
                )

    @staticmethod
    def _programs(scenario: Scenario) -> list[str]:
        kinds = {scenario.system.service(name).kind for name in scenario.services()}
        needed: list[Callable[[], object]] = []
        if ServiceKind.POSTGRESQL in kinds:
            needed.append(postgres.find_installation)
        if scenario.alerts is not None:
            needed.append(find_program)
        lacking = []
        for find in needed:
            try:
                find()
            except MissingDependency as error:
                lacking.append(str(error))
        return lacking

    @asynccontextmanager
    async def start(
        self, scenario: Scenario, settings: RunSettings, record: Recorder
    ) -> AsyncIterator[RunningProcesses]:
        """Start what the scenario reaches; leaving stops it and checks that nothing is left."""
        world.become_subreaper()
        async with AsyncExitStack() as stack:
            logs = subfolder(settings.folder, "logs")
            guard = await stack.enter_async_context(watched(settings.run_id, logs / "watchdog.log"))
            ports = stack.enter_context(Ports(derive_rng(settings.seed, "ports")))
            start = Start(
                scenario=scenario,
                settings=settings,
                work=guard.folder,
                ports=ports,
                clock=self._clock,
                record=record,
            )
            if not settings.keep:
                await stack.enter_async_context(start.leaving_a_clean_world())
            yield await self._started(start, guard, stack)

    async def _started(self, start: Start, guard: Guard, stack: AsyncExitStack) -> RunningProcesses:
        journal = Journal(guard.folder)
        stack.callback(journal.close)
        network = await stack.enter_async_context(
            fault_proxy(
                start.links(),
                kind=self._proxy,
                environment=start.environment("proxy"),
                ports=start.ports,
                journal=journal,
                log=start.logs / "proxy.log",
            )
        )
        services = start.services(network.addresses())
        watching = await self._watching(start, services, guard.folder / "prometheus", stack)
        stack.push_async_callback(start.stop, services)
        await start.run(services)
        if watching is not None:
            await watching.wait_until_watching()
            await stack.enter_async_context(watching.recording_alerts(start.record))
        await stack.enter_async_context(
            recording_waits(services, record=start.record, clock=self._clock)
        )
        running = RunningProcesses(
            start,
            capabilities=self._capabilities(start, services, network, journal),
            network=network,
            guard=guard,
            watching=watching,
        )
        if start.settings.keep:
            network.let_go()
            note(running.standing())
        return running

    async def _watching(
        self,
        start: Start,
        services: Mapping[str, ServiceProcess],
        storage: Path,
        stack: AsyncExitStack,
    ) -> Prometheus | None:
        """Start a Prometheus if the scenario has alerts: it needs as long as the services do."""
        alerts = start.scenario.alerts
        if alerts is None:
            return None
        targets = {name: f"127.0.0.1:{service.port}" for name, service in services.items()}
        return await stack.enter_async_context(
            prometheus(
                site_of(start, alerts, targets),
                storage=storage,
                log=start.logs / "prometheus.log",
                environment=start.environment("prometheus"),
                clock=self._clock,
                keep=start.settings.keep,
            )
        )

    def _capabilities(
        self,
        start: Start,
        services: Mapping[str, ServiceProcess],
        network: ProxiedNetwork,
        journal: Journal,
    ) -> ProcessCapabilities:
        endpoints = ChaosEndpoints(services, token=start.token, journal=journal)
        return ProcessCapabilities(
            network=network,
            processes=ProcessFaults(services, journal=journal, clock=self._clock),
            resources=ResourceFaults(
                services,
                journal=journal,
                clock=self._clock,
                run_id=start.settings.run_id,
                logs=start.logs,
            ),
            in_process=endpoints,
            upstreams=endpoints,
        )
