"""Let one system start at a time: starting takes the processors that running systems need."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from harness.model.fault import Capability
from harness.model.run import Environment, Recorder, RunningSystem, RunSettings
from harness.model.scenario import Scenario


class StartsInTurn:
    """An environment whose starts wait for each other; what is started goes on side by side.

    A service needs half a second of a processor to start and hardly any to run. Five of them that
    start beside a run that is being measured would be read as the machine's noise.

    Args:
        environment: What does the work.
        turn: Held while a system starts; shared by all runs of a suite.
    """

    def __init__(self, environment: Environment, turn: asyncio.Lock) -> None:
        self.name = environment.name
        self._environment = environment
        self._turn = turn

    def offers(self) -> frozenset[Capability]:
        """Return what the environment offers."""
        return self._environment.offers()

    def missing(self, scenario: Scenario) -> list[str]:
        """Return what the environment lacks."""
        return self._environment.missing(scenario)

    def proxy_for(self, scenario: Scenario) -> str:
        """Return the fault proxy that the environment gives to the scenario."""
        return self._environment.proxy_for(scenario)

    @asynccontextmanager
    async def start(
        self, scenario: Scenario, settings: RunSettings, record: Recorder
    ) -> AsyncIterator[RunningSystem]:
        """Wait for the turn, start, and pass the turn on when everything is ready."""
        async with AsyncExitStack() as stack:
            async with self._turn:
                system = await stack.enter_async_context(
                    self._environment.start(scenario, settings, record)
                )
            yield system
