"""Run a system in containers: Compose makes and removes them, the engine's library acts on them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import Clock
from harness.environments import world
from harness.environments.compose import requirements, reuse
from harness.environments.compose.assembly import Assembly
from harness.environments.compose.capabilities import capabilities_of
from harness.environments.compose.differences import labels_of
from harness.environments.compose.machine import find_machine
from harness.environments.compose.project import Project
from harness.environments.compose.projects import Projects, Wish
from harness.environments.compose.sidecars import Sidecars
from harness.environments.ports import Ports
from harness.environments.start import Start, subfolder
from harness.environments.started import StartedSystem
from harness.model.errors import HarnessError
from harness.model.fault import Capability
from harness.model.run import Recorder, RunSettings
from harness.model.scenario import Scenario
from harness.model.seeds import derive_rng


class ComposeEnvironment:
    """Containers of this host, as a Compose file describes them.

    Args:
        clock: Clock of the runs.
        proxy: The fault proxy of all runs; None takes the vendor's Toxiproxy, and the embedded
            proxy for a scenario that needs what it alone can do.
        projects: Networks and volumes that runs share; None: each run has its own.
    """

    name = "compose"

    def __init__(
        self, *, clock: Clock, proxy: ProxyKind | None = None, projects: Projects | None = None
    ) -> None:
        self._clock = clock
        self._proxy = proxy
        self._projects = projects

    def offers(self) -> frozenset[Capability]:
        """Return the capabilities of containers behind the fault proxy."""
        return requirements.offered(self._proxy or ProxyKind.EMBEDDED)

    def proxy_for(self, scenario: Scenario) -> ProxyKind:
        """Return which fault proxy a run of the scenario gets."""
        return self._proxy or requirements.proxy_for(scenario)

    def missing(self, scenario: Scenario) -> list[str]:
        """Return why the scenario cannot run in containers here, with what to do about it."""
        proxy = self.proxy_for(scenario)
        return requirements.of_scenario(scenario, proxy) or requirements.of_machine(scenario, proxy)

    @asynccontextmanager
    async def start(
        self, scenario: Scenario, settings: RunSettings, record: Recorder
    ) -> AsyncIterator[StartedSystem]:
        """Start what the scenario reaches; leaving removes it and checks that nothing is left.

        Raises:
            MissingDependency: If there is no engine, with what to do.
            HarnessError: If the system is to be kept.
        """
        if settings.keep:
            raise HarnessError("containers of a run are not kept; 'make docker-up' starts a stack")
        world.become_subreaper()
        async with AsyncExitStack() as stack:
            projects = self._projects
            if projects is None:
                projects = await stack.enter_async_context(Projects(clock=self._clock))
            wish = self._wish(scenario, settings, record)
            project = await stack.enter_async_context(projects.lent(wish))
            ports = stack.enter_context(Ports(derive_rng(settings.seed, "ports")))
            start = Start(
                scenario=scenario,
                settings=replace(settings, run_id=project.id),  # the name that its watchdog knows
                work=subfolder(project.guard.folder, "run"),
                ports=ports,
                clock=self._clock,
                record=record,
            )
            await stack.enter_async_context(start.leaving_a_clean_world())
            yield await self._started(start, project, wish.preparation, stack)

    def _wish(self, scenario: Scenario, settings: RunSettings, record: Recorder) -> Wish:
        machine = find_machine()
        described = requirements.stack_for(scenario, machine)
        return Wish(
            run_id=settings.run_id,
            stack=described,
            preparation=reuse.preparation_of(scenario, described, settings),
            host=machine.host,
            log=subfolder(settings.folder, "logs") / "watchdog.log",
            record=record,
        )

    async def _started(
        self, start: Start, project: Project, preparation: str | None, stack: AsyncExitStack
    ) -> StartedSystem:
        guard, journal = project.guard, project.journal
        proxy = self.proxy_for(start.scenario)
        assembly = Assembly(start, project, clock=self._clock, proxy=proxy, preparation=preparation)
        await stack.enter_async_context(assembly.made())
        stack.callback(await assembly.listen())
        sidecars = Sidecars(project.engine, image=project.stack.tools, labels=labels_of(start))
        watching = await stack.enter_async_context(assembly.watching())
        network = await assembly.run(journal)
        if watching is not None:
            await watching.wait_until_watching()
            await stack.enter_async_context(watching.recording_alerts(start.record))
        return StartedSystem(
            start,
            capabilities=capabilities_of(
                assembly, network, sidecars, journal=journal, clock=self._clock
            ),
            network=network,
            guard=guard,
            watching=watching,
        )
