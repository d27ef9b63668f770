"""Make the containers of one run by Compose, and take all of it away again."""

import asyncio
import os
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from harness.environments import labelled
from harness.environments.child import inherited_environment
from harness.environments.compose.machine import compose_arguments
from harness.environments.compose.stack import Stack
from harness.environments.journal import Journal
from harness.environments.world import MARK
from harness.model.errors import HarnessError, ServiceNotReady, WorldNotClean

_CREATE_WITHIN_S = 180.0  # seconds on idle cores; this is for busy ones
_DOWN_WITHIN_S = 120.0  # 3 to 16 s
_STOP_WITHIN_S = 10  # of each container; services stop within 8 s of themselves
_GONE_WITHIN_S = 5.0  # a removed container is listed for a moment
_POLL_S = 0.25


def project_name(run_id: str) -> str:
    """Return the name that Compose knows a run by.

    >>> project_name("Lookups_survive-1a")
    'atlas-lookups_survive-1a'
    """
    return "atlas-" + re.sub(r"[^a-z0-9_-]", "-", run_id.lower())


class Project:
    """The containers, networks and volumes of one run.

    Args:
        stack: The user's Compose file.
        override: The file laid over it.
        run_id: Name of the run, on all that is made.
        host: The engine, as `DOCKER_HOST` says it.
        variables: Variables of the Compose file.
        log: File that Compose's own words are appended to.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        override: Path,
        run_id: str,
        host: str,
        variables: Mapping[str, str],
        log: Path,
    ) -> None:
        self.name = project_name(run_id)
        self.label = labelled.label_of(run_id)
        self._arguments = compose_arguments(stack, override, project=self.name)
        self._host = host
        self._log = log
        self._environment = inherited_environment(
            **{MARK: run_id}, DOCKER_HOST=host, ATLAS_RUN=run_id, **variables
        )

    @asynccontextmanager
    async def made(self, services: Sequence[str], journal: Journal) -> AsyncIterator[None]:
        """Make the containers of services, not started; leaving removes all of the run.

        Raises:
            ServiceNotReady: If Compose cannot make them, with its words.
            WorldNotClean: On leaving, if something of the run is still there.
        """
        undo = {"kind": labelled.RUN_LABEL, "label": self.label, "host": self._host}
        number = journal.plan_undo(f"make {', '.join(services)}", undo)
        try:
            await self._compose(
                ["create", "--no-build", "--pull", "never", *services],
                within_s=_CREATE_WITHIN_S,
            )
            yield
        finally:
            await self._remove()
            journal.undone(number)  # after an error inside as well: all is gone

    async def _remove(self) -> None:
        try:
            await self._compose(
                ["down", "--volumes", "--remove-orphans", "--timeout", str(_STOP_WITHIN_S)],
                within_s=_DOWN_WITHIN_S,
            )
            left = await self._left()
        except (ServiceNotReady, labelled.EngineSilent) as error:
            raise WorldNotClean(
                f"'atlas-chaos clean' has to remove what is left once the engine answers; {error}"
            ) from error
        if left:
            raise WorldNotClean(f"left behind by {self.label}: {', '.join(map(str, left))}")

    async def _left(self) -> list[labelled.Labelled]:
        """Return what is still there once all that was removed had the time to vanish."""
        left: list[labelled.Labelled] = []
        for _ in range(int(_GONE_WITHIN_S / _POLL_S)):
            left = await asyncio.to_thread(labelled.found, self.label, host=self._host)
            if not left:
                break
            await asyncio.sleep(_POLL_S)
        return left

    async def _compose(self, arguments: Sequence[str], *, within_s: float) -> None:
        """Run a command of Compose to its end; cancelled or late, it is killed.

        Raises:
            ServiceNotReady: If it fails or does not end in time, with the end of what it said.
        """
        what = f"docker compose {arguments[0]}"
        with self._log.open("ab") as log:
            before = self._log.stat().st_size
            try:
                process = await asyncio.create_subprocess_exec(
                    "docker",
                    *self._arguments,
                    *arguments,
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
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
            said = self._log.read_bytes()[before:].decode(errors="replace").strip()
            raise ServiceNotReady(f"{what} ended with code {code}:\n{said[-2000:]}")


async def _end(process: Process) -> None:
    """Kill Docker's command line together with Compose, which is a child of it."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
