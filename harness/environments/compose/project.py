"""What Compose makes for runs, one after the other, and takes away again."""

import asyncio
import os
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.environments import labelled, world
from harness.environments.child import inherited_environment
from harness.environments.compose.engine import Engine, EngineRefused
from harness.environments.compose.machine import compose_arguments
from harness.environments.compose.stack import Stack
from harness.environments.guard import Guard, watched
from harness.environments.journal import Journal
from harness.environments.world import MARK
from harness.model.errors import HarnessError, ServiceNotReady, WorldNotClean

_CREATE_WITHIN_S = 180.0  # seconds on idle cores; this is for busy ones
_DOWN_WITHIN_S = 120.0  # 1 s; this is for an engine in trouble
_GONE_WITHIN_S = 5.0  # a removed container is listed for a moment
_POLL_S = 0.25


def project_name(run_id: str) -> str:
    """Return the name that Compose knows a run by.

    >>> project_name("Lookups_survive-1a")
    'atlas-lookups_survive-1a'
    """
    return "atlas-" + re.sub(r"[^a-z0-9_-]", "-", run_id.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What one run wants of a project.

    Args:
        services: Whose containers are made.
        override: The file laid over the user's.
        folders: The run's folders that containers see, by the variables of the user's file.
        log: File that Compose's own words are appended to.
    """

    services: Sequence[str]
    override: Path
    folders: Mapping[str, str]
    log: Path


class Project:
    """Networks and volumes that outlast a run, and containers that each run gets anew.

    Args:
        project_id: Its name: that of the run that it was made for, on all that belongs to it.
        stack: The user's Compose file.
        engine: The Docker engine.
        host: The same, as `DOCKER_HOST` says it.
        guard: Its watchdog.
        journal: Its undo journal.
    """

    def __init__(
        self,
        project_id: str,
        stack: Stack,
        *,
        engine: Engine,
        host: str,
        guard: Guard,
        journal: Journal,
    ) -> None:
        self.id = project_id
        self.stack = stack
        self.engine = engine
        self.guard = guard
        self.journal = journal
        self.label = labelled.label_of(project_id)
        # The runs that the pristine copy in its database serves; empty while there is none.
        self.prepared = ""
        # Services whose containers stay between runs: they hold what is in a volume.
        self.holders: frozenset[str] = frozenset()
        self._name = project_name(project_id)
        self._host = host
        self._environment = inherited_environment(
            **{MARK: project_id}, DOCKER_HOST=host, ATLAS_RUN=project_id
        )

    async def make(self, making: Making) -> dict[str, str]:
        """Make the containers of a run, not started; return their ids by service.

        Raises:
            ServiceNotReady: If Compose cannot make them, with its words.
        """
        await self._compose(
            [
                *("up", "--no-start", "--no-deps", "--no-build", "--pull", "never"),
                *making.services,
            ],
            override=making.override,
            variables=making.folders,
            log=making.log,
            within_s=_CREATE_WITHIN_S,
        )
        return await self.engine.containers(self._name)

    async def clear(self) -> None:
        """Remove the containers of a run, whatever state they are in.

        Raises:
            WorldNotClean: If a container is left besides those that stay.
        """
        made = await self.engine.containers(self._name)
        going = [one for service, one in made.items() if service not in self.holders]
        await asyncio.gather(*map(self.engine.remove, going))
        left: list[str] = []
        for _ in range(int(_GONE_WITHIN_S / _POLL_S)):
            left = await self.surprises()
            if not left:
                return
            await asyncio.sleep(_POLL_S)
        raise WorldNotClean(f"left behind by {self.label}: {', '.join(left)}")

    async def surprises(self) -> list[str]:
        """Return what should not be so between two runs: nothing stays but what holds a volume."""
        made = await self.engine.containers(self._name)
        staying = {one for service, one in made.items() if service in self.holders}
        found = await self.engine.carrying(self.label)
        return [
            f"container {one[:12]} is {status}"
            for one, status in found.items()
            if one not in staying or status != "running"
        ]

    async def remove(self) -> None:
        """Remove all that belongs to it, made by Compose or not.

        Raises:
            WorldNotClean: If something is still there.
        """
        try:
            found = await self.engine.carrying(self.label)
            await asyncio.gather(*map(self.engine.remove, found))
            await self._compose(
                ["down", "--volumes", "--remove-orphans"],
                log=self.guard.folder / "compose.log",
                within_s=_DOWN_WITHIN_S,
            )
            left = await self._left()
        except (ServiceNotReady, EngineRefused, labelled.EngineSilent) as error:
            raise WorldNotClean(
                f"'atlas-chaos clean' has to remove what is left once the engine answers; {error}"
            ) from error
        if left:
            raise WorldNotClean(f"left behind by {self.label}: {', '.join(map(str, left))}")
        await asyncio.to_thread(world.remove_folder, self.guard.folder)

    async def _left(self) -> list[labelled.Labelled]:
        """Return what is still there once all that was removed had the time to vanish."""
        left: list[labelled.Labelled] = []
        for _ in range(int(_GONE_WITHIN_S / _POLL_S)):
            left = await asyncio.to_thread(labelled.found, self.label, host=self._host)
            if not left:
                break
            await asyncio.sleep(_POLL_S)
        return left

    async def _compose(
        self,
        arguments: Sequence[str],
        *,
        log: Path,
        within_s: float,
        override: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command of Compose to its end; cancelled or late, it is killed.

        Raises:
            ServiceNotReady: If it fails or does not end in time, with the end of what it said.
        """
        what = f"docker compose {arguments[0]}"
        over = () if override is None else (override,)
        with log.open("ab") as out:
            before = out.tell()
            try:
                process = await asyncio.create_subprocess_exec(
                    "docker",
                    *compose_arguments(self.stack, *over, project=self._name),
                    *arguments,
                    env=self._environment | dict(variables or {}),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,  # Ctrl-C is for us, who then take everything away
                )
            except OSError as error:
                raise HarnessError(f"cannot start docker: {error}") from error
        try:
            async with asyncio.timeout(within_s):
                code = await process.wait()
        except TimeoutError as error:
            raise ServiceNotReady(f"{what} did not end within {within_s:g} s") from error
        finally:
            await _end(process)
        if code != 0:
            raise ServiceNotReady(f"{what} ended with code {code}:\n{_said(log, before)}")


def _said(log: Path, since: int) -> str:
    """Return the end of what a log got since it had a size."""
    return log.read_bytes()[since:].decode(errors="replace").strip()[-2000:]


async def _end(process: Process) -> None:
    """Kill Docker's command line together with Compose, which is a child of it."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@asynccontextmanager
async def standing(
    project_id: str, stack: Stack, *, host: str, log: Path
) -> AsyncIterator[Project]:
    """Guard a project by a watchdog, from before it is made; leaving removes all of it.

    Args:
        project_id: Name of the run that it is made for.
        stack: The user's Compose file.
        host: The Docker engine, as `DOCKER_HOST` says it.
        log: File that the watchdog's words are appended to.

    Raises:
        EngineRefused: If the engine does not answer.
        WorldNotClean: On leaving, if something is still there.
    """
    async with AsyncExitStack() as ending:
        guard = await ending.enter_async_context(watched(project_id, log))
        journal = Journal(guard.folder)
        ending.callback(journal.close)
        engine = await Engine.connect(host)
        ending.callback(engine.close)
        project = Project(project_id, stack, engine=engine, host=host, guard=guard, journal=journal)
        undo = {"kind": labelled.RUN_LABEL, "label": project.label, "host": host}
        number = journal.plan_undo("make containers, networks and volumes", undo)
        try:
            yield project
        finally:
            await project.remove()
            journal.undone(number)  # after an error inside as well: all is gone
