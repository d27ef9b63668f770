"""Do what has to be done once before services start: databases as new, then the one-shots."""

import asyncio
from collections.abc import Mapping

from harness.clock import Clock
from harness.environments.compose import pristine
from harness.environments.compose.containers import LINES, READY_WITHIN_S
from harness.environments.compose.engine import Engine
from harness.environments.compose.project import Project
from harness.model.errors import ServiceNotReady

_POLL_S = 0.05


class Preparation:
    """What the services of one run find done.

    Args:
        project: Knows whether an earlier run was prepared the same way.
        by: As `reuse.preparation_of` tells.
        databases: Names of the databases by their ports on loopback.
        clock: Clock of the run.
    """

    def __init__(
        self, project: Project, *, by: str | None, databases: Mapping[int, str], clock: Clock
    ) -> None:
        self._project = project
        self._by = by
        self._databases = databases
        self._clock = clock
        self._turn = asyncio.Lock()
        self._done: set[str] = set()

    async def done(self, shots: Mapping[str, str]) -> None:
        """Return when one-shots have ended well, each run once even if several services wait.

        Args:
            shots: Their containers by name.

        Raises:
            ServiceNotReady: If one fails or does not end in time, with the end of its log.
            HarnessError: If the project lost what an earlier run had prepared.
        """
        async with self._turn:
            if self._by and not self._done:
                await self._renew()
            for name, container in shots.items():
                if name not in self._done:
                    self._done.add(name)
                    await run_to_end(
                        name, container, engine=self._project.engine, clock=self._clock
                    )

    async def _renew(self) -> None:
        """Put back what the databases held before any one-shot, or keep it for the next run.

        Not what one-shots left there: what they write may say when that was.
        """
        if self._project.prepared == self._by:
            for port, database in self._databases.items():
                await pristine.restore(port, database)
        else:
            kept = [await pristine.keep(*one) for one in self._databases.items()]
            self._project.prepared = self._by if all(kept) and self._by else ""


async def run_to_end(
    name: str, container: str, *, engine: Engine, clock: Clock, within_s: float = READY_WITHIN_S
) -> None:
    """Start a one-shot, e.g. one that creates a schema, and wait until it ended well.

    Raises:
        ServiceNotReady: If it fails or does not end in time, with the end of its log.
    """
    await engine.start(container)
    state = await engine.state(container)
    for _ in range(int(within_s / _POLL_S)):
        if state.status not in {"created", "running"}:
            break
        await clock.sleep(_POLL_S)
        state = await engine.state(container)
    if state.status != "exited" or state.exit_code != 0:
        said = (await engine.logs(container, lines=LINES)).decode(errors="replace")
        raise ServiceNotReady(
            f"{name!r} is {state.status} with code {state.exit_code} "
            f"(within {within_s:g} s):\n{said}"
        )
