"""Both fault proxies, and what tests need around them."""

import asyncio
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fault_injectors.toxiproxy import ProxyKind, find_toxiproxy_server

BOUND_S = 30.0  # a hung test; the slowest one waits for deadlines of some seconds
GO_MINIMUM = (1, 23)  # as scripts/install_toxiproxy.sh
BOTH = pytest.mark.parametrize("kind", list(ProxyKind), ids=str)


def need(kind: ProxyKind) -> None:
    """Fail if the vendor's server is missing, unless this machine cannot build it."""
    if kind is ProxyKind.TOXIPROXY and find_toxiproxy_server() is None:
        if not can_build():
            pytest.skip("no toxiproxy-server, and no Go 1.23 or newer to build it with")
        pytest.fail("no toxiproxy-server in .tools/bin: run `make setup`, which builds it")


@functools.cache
def can_build() -> bool:
    """Return whether there is a Go that builds the vendor's server."""
    go = shutil.which("go")
    if go is None:
        return False
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    told = subprocess.run(
        [go, "env", "GOVERSION"], env=env, capture_output=True, text=True, timeout=30, check=False
    ).stdout
    found = re.match(r"go(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= GO_MINIMUM


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a proxy process."""
    return {**os.environ, **changes}


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test in a fresh loop, bounded; skip or fail without the vendor's server."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        need(fixtures.get("kind", ProxyKind.EMBEDDED))

        async def bounded() -> None:
            async with asyncio.timeout(BOUND_S):
                await test(**fixtures)

        asyncio.run(bounded())

    return run


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
