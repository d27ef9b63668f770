"""Start the load process, give it orders, and leave no process behind."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from harness.load.plan import LoadPlan
from harness.load.worker import READY_LINE
from harness.model.errors import LoadBroke

_ERROR_BYTES = 2000
_ROOT = Path(__file__).parents[2]  # the folder that holds the package `harness`


class LoadProcess:
    """A load process that runs; made by `running`."""

    def __init__(self, process: Process, *, error_path: Path) -> None:
        self._process = process
        self._error_path = error_path

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Say whether it is not known to have ended."""
        return self._process.returncode is None

    async def hand_over(self, plan: LoadPlan, *, within_s: float) -> None:
        """Give it the plan and wait until it is warm.

        Raises:
            LoadBroke: If it is not within the bound.
        """
        process = self._process
        line = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(within_s):
                assert process.stdin is not None  # noqa: S101 -- a pipe was asked for
                assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
                process.stdin.write(plan.to_json().encode() + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readline()
        if line != READY_LINE:
            raise LoadBroke(f"the load process was not ready within {within_s:g} s{self.errors()}")

    def order(self, order: Mapping[str, object]) -> None:
        """Give it an order; one that is dead hears nothing."""
        assert self._process.stdin is not None  # noqa: S101 -- a pipe was asked for
        if self.is_alive:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def wait(self, *, bound_s: float) -> None:
        """Wait until it ends.

        Raises:
            LoadBroke: If it does not within the bound.
        """
        try:
            async with asyncio.timeout(bound_s):
                await self._process.wait()
        except TimeoutError as error:
            raise LoadBroke(f"the load process did not end within {bound_s:g} s") from error

    async def kill(self) -> None:
        """End it now: it writes each record whole, so nothing in it is worth waiting for."""
        assert self._process.stdin is not None  # noqa: S101 -- a pipe was asked for
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):  # it ended, and we have not heard yet
                self._process.kill()
        self._process.stdin.close()
        await self._process.wait()

    def errors(self) -> str:
        """Return the end of what it wrote to standard error, as the tail of a message."""
        text = self._error_path.read_bytes()[-_ERROR_BYTES:].decode(errors="replace").strip()
        return f":\n{text}" if text else "; it said nothing"


@asynccontextmanager
async def running(path: Path, environment: Mapping[str, str]) -> AsyncIterator[LoadProcess]:
    """Run a load process that writes to `path`; after the context it does not exist.

    Args:
        path: Its records; what it writes to standard error goes beside it, to `*.stderr`.
        environment: All its environment variables; the import path is added.
    """
    error_path = path.with_suffix(".stderr")
    with error_path.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a folder called `harness` where the user stands is not ours
            "-m",
            "harness.load",
            str(path),
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            env=_with_import_path(environment),
        )
    started = LoadProcess(process, error_path=error_path)
    try:
        yield started
    finally:
        await started.kill()


def _with_import_path(environment: Mapping[str, str]) -> dict[str, str]:
    """Let the process import this very package, installed or not."""
    paths = [str(_ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}
