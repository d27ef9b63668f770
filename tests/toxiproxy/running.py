"""Both fault proxies, and what tests need around them."""

import asyncio
import functools
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fault_injectors.toxiproxy import ProxyKind, find_toxiproxy_server

BOUND_S = 30.0  # a hung test; the slowest one waits for deadlines of some seconds
BOTH = pytest.mark.parametrize("kind", list(ProxyKind), ids=str)


def need(kind: ProxyKind) -> None:
    """Fail if the vendor's server is missing, unless this machine cannot build it."""
    if kind is ProxyKind.TOXIPROXY and find_toxiproxy_server() is None:
        if shutil.which("go") is None:
            pytest.skip("no toxiproxy-server, and no go to build it with")
        pytest.fail("no toxiproxy-server in .tools/bin: run `make setup`, which builds it")


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
