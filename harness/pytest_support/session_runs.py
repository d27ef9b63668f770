"""The runs of a pytest session, on one event loop: what one of them made may serve the next."""

import asyncio
import dataclasses
from contextlib import AsyncExitStack
from typing import Any

import pytest

from harness.model.run import Environment, Listener, RunResult
from harness.model.scenario import Scenario
from harness.pytest_support.choices import choices_of, composition_of

_RUNS: pytest.StashKey["SessionRuns"] = pytest.StashKey()


class SessionRuns:
    """Run scenarios in the environment of a session.

    Args:
        config: The session's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._composition = composition_of(config)
        self._choices: Any = self._composition.RunChoices(**dataclasses.asdict(choices_of(config)))
        self._runner = asyncio.Runner()
        self._ending = AsyncExitStack()
        self._environment: Environment | None = None

    def run(self, scenario: Scenario, *, was_named: bool, listener: Listener) -> RunResult:
        """Run a scenario and return what it came to."""
        return self._runner.run(self._run(scenario, was_named=was_named, listener=listener))

    async def _run(self, scenario: Scenario, *, was_named: bool, listener: Listener) -> RunResult:
        if self._environment is None:
            self._environment = await self._ending.enter_async_context(
                self._composition.suite_environment(self._choices)
            )
        return await self._composition.run_one(
            scenario,
            self._choices,
            was_named=was_named,
            environment=self._environment,
            listener=listener,
        )

    def close(self) -> None:
        """Remove what the runs shared.

        Raises:
            WorldNotClean: If something is still there.
        """
        with self._runner:
            self._runner.run(self._ending.aclose())


def session_runs(item: pytest.Item) -> SessionRuns:
    """Return the runs of an item's session, which end with it, after its last item."""
    runs = item.config.stash.get(_RUNS, None)
    if runs is None:
        runs = item.config.stash[_RUNS] = SessionRuns(item.config)
        item.session.addfinalizer(runs.close)
    return runs
