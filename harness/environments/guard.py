"""Hold the other end of the watchdog's pipe."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.environments import world
from harness.environments.watchdog import READY, RELEASED
from harness.model.errors import HarnessError, WorldNotClean

_START_WITHIN_S = 10.0  # importing psutil on two busy cores took 0.4 s
_END_WITHIN_S = 15.0  # its own bound for killing everything is 10 s


class Guard:
    """A running watchdog."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self.folder = folder

    @property
    def pid(self) -> int:
        """Return the watchdog's process id."""
        return self._process.pid

    def check_alive(self) -> None:
        """Raise if the watchdog has died: without it a killed harness would leave its faults."""
        if self._process.returncode is not None:
            raise HarnessError(f"the watchdog ended with code {self._process.returncode}")

    async def end(self, word: str) -> None:
        """Say a last word to the watchdog, close the pipe and wait for its end.

        Without a word it undoes and removes whatever is still there.
        """
        stdin = self._process.stdin
        if stdin is None or self._process.returncode is not None:
            return
        stdin.write(word.encode())
        stdin.close()
        if not await self._ends():  # raised here, the error keeps what is being handled as context
            self._process.kill()
            raise WorldNotClean(
                f"the watchdog did not end within {_END_WITHIN_S:g} s; 'atlas-chaos clean' does "
                "what it could not"
            )

    async def _ends(self) -> bool:
        """Wait for the end of the process, and say whether it came in time."""
        try:
            async with asyncio.timeout(_END_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def watched(run_id: str, log: Path) -> AsyncIterator[Guard]:
    """Have a watchdog make the work folder and clean up after us if we die; leaving releases it.

    Raises:
        HarnessError: If the watchdog does not come up.
    """
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a folder called `harness` where the user stands is not ours
            "-m",
            world.WATCHDOG,
            run_id,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    # Without a word from us the watchdog cleans up, which is right if it never came up either.
    guard = Guard(process, await _wait_until_ready(process))
    try:
        yield guard
    except BaseException:
        await guard.end("")  # whatever could not be stopped in an orderly way ends now
        raise
    await guard.end(RELEASED + "\n")


async def _wait_until_ready(process: asyncio.subprocess.Process) -> Path:
    """Return the work folder that the watchdog made."""
    if process.stdout is None:
        raise HarnessError("the watchdog has no standard output")
    try:
        async with asyncio.timeout(_START_WITHIN_S):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise HarnessError(f"the watchdog was not ready within {_START_WITHIN_S} s") from error
    said, _, folder = line.decode().strip().partition(" ")
    if said != READY:
        raise HarnessError(f"the watchdog said {line!r} instead of {READY!r}")
    return Path(folder)
