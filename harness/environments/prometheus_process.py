"""A Prometheus that runs as a process beside the system of a run.

It is a process of the run like any other (mark, port, work folder, log), but no part of the system:
no fault acts on it, and it reads the services directly, past the fault proxy.
"""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from harness.clock import Clock
from harness.environments import child
from harness.environments.prometheus import Prometheus, Site
from harness.model.errors import HarnessError, MissingDependency

PROGRAM = "prometheus"
_STOP_WITHIN_S = 5.0


def find_program() -> str:
    """Return the path of Prometheus.

    Raises:
        MissingDependency: If it is not on PATH, with what to install.
    """
    path = shutil.which(PROGRAM)
    if path is None:
        raise MissingDependency(
            "no Prometheus found, and the scenario has 'alerts'; install it (Debian: apt-get "
            "install prometheus) or put its folder on PATH"
        )
    return path


@asynccontextmanager
async def prometheus(
    site: Site,
    *,
    storage: Path,
    log: Path,
    environment: Mapping[str, str],
    clock: Clock,
    keep: bool,
) -> AsyncIterator[Prometheus]:
    """Start a Prometheus, without waiting for it; leaving stops it, unless it is to be kept.

    Args:
        site: What it watches.
        storage: Folder for its samples.
        log: File for what it says.
        environment: Its environment variables.
        clock: Clock of the run.
        keep: Whether it outlives the context.

    Raises:
        MissingDependency: If there is none.
        HarnessError: If it cannot be started.
    """
    command = child.Command(
        argv=[
            find_program(),
            f"--config.file={site.write()}",
            f"--storage.tsdb.path={storage}",
            f"--web.listen-address=127.0.0.1:{site.port}",
            "--log.level=warn",
        ],
        environment={**environment, "GOMAXPROCS": "1"},  # the cores are for the system
        log=log,
    )
    process = await child.spawn(command)
    try:
        asked = Prometheus(site, clock=clock, demand_alive=lambda: _demand_alive(process, log))
        async with aclosing(asked):
            yield asked
    finally:
        if not keep:
            await child.stop(process, how=signal.SIGTERM, within_s=_STOP_WITHIN_S)


def _demand_alive(process: asyncio.subprocess.Process, log: Path) -> None:
    if process.returncode is not None:
        told = child.tail(log)
        raise HarnessError(f"Prometheus ended with code {process.returncode}: {told}")
