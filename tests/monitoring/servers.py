"""Start the programs of monitoring as an operator would, and wait for what they answer."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.monitoring.programs import program

WITHIN_S = 40.0  # Prometheus finds its targets in steps of 5 s; the rest is for a busy machine


@contextmanager
def running(name: str, *arguments: str, folder: Path) -> Iterator[None]:
    """Run a program and end it at exit, killed if it does not end by itself."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [program(name), *arguments],
            cwd=folder,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """Return the first answer that is true; a refused connection means not yet."""
    give_up_s = time.monotonic() + WITHIN_S  # noqa: TID251 -- real processes, real time
    while time.monotonic() < give_up_s:  # noqa: TID251
        try:
            if found := look():
                return found
        except httpx.TransportError:
            pass
        time.sleep(0.05)  # noqa: TID251 -- a poll, bounded by the loop
    raise AssertionError(f"{what}: not within {WITHIN_S:g} s")


class Asked:
    """A running Prometheus, as its API answers."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=10
        )

    def get(self, path: str, **query: str) -> Any:
        answer = self._client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the series that an expression has now."""
        found = self.get("/query", query=expr)["result"]
        return list(found)

    def value(self, expr: str) -> float:
        """Return the sum over the series of an expression; 0 without any."""
        return sum(float(series["value"][1]) for series in self.query(expr))

    def close(self) -> None:
        self._client.close()
