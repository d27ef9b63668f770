"""Run one service of Shadow Atlas as a process, as an operator would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.shadow_atlas.postgres import free_port

TOKEN = "token-of-this-test-run"  # noqa: S105 - opens nothing but these processes
PROJECT = Path(__file__).parents[2]
READY_TRIES = 200


class ServiceProcess:
    """One `python -m shadow_atlas.<module>`; leaving the context kills it if it still runs."""

    def __init__(
        self, module: str, *, name: str, folder: Path, incarnation: str = "1", **variables: str
    ) -> None:
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = folder / f"{name}.{incarnation}.log"
        self.events_path = folder / f"{name}.{incarnation}.ndjson"
        self._command = [sys.executable, "-m", f"shadow_atlas.{module}"]
        self._environment = {
            **os.environ,
            "ATLAS_SERVICE": name,
            "ATLAS_PORT": str(self.port),
            "ATLAS_EVENT_DIR": str(folder),
            "ATLAS_INCARNATION": incarnation,
            "ATLAS_CHAOS_TOKEN": TOKEN,
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start without waiting."""
        # A pipe that nobody reads would fill up and block the service in mid-log.
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=PROJECT, env=self._environment, stderr=log
            )

    def wait_until_ready(self) -> None:
        """Wait until the service answers, at most 20 s."""
        with httpx.Client(trust_env=False, timeout=5) as client:
            for _ in range(READY_TRIES):
                try:
                    client.get(f"{self.url}/v1/health")
                except httpx.TransportError:
                    self.pause()
                else:
                    return
        raise RuntimeError(f"{self.name} did not answer")

    def pause(self) -> None:
        """Let 0.1 s pass between two looks at the process, and fail if it ends meanwhile."""
        assert self._process is not None
        try:
            self._process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            return
        raise RuntimeError(f"{self.name} ended: {self.log_path.read_text()}")

    def kill(self) -> None:
        """End the process as a crash would, and take its status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._finish()

    def terminate(self) -> None:
        """Ask the process to stop, without waiting."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for the end, at most 20 s, and return the exit code."""
        return self._finish()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of one kind that the process has written so far."""
        lines = self.events_path.read_bytes().splitlines()
        records: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [record for record in records if record["kind"] == kind]

    def close(self) -> None:
        """Make sure that nothing is left."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._process is not None:
            self._finish()

    def _finish(self) -> int:
        assert self._process is not None
        return self._process.wait(timeout=20)


class StandIns:
    """Stand-ins of one kind, such as the four portals, and the calls that script them."""

    def __init__(
        self,
        folder: Path,
        *,
        module: str = "upstreams",
        names: tuple[str, ...] = ("portal_wi", "portal_co", "portal_ny", "tiger"),
    ) -> None:
        self.names = names
        self._client = httpx.Client(
            trust_env=False, timeout=10, headers={"x-atlas-chaos-token": TOKEN}
        )
        self._seen: dict[str, int] = {}
        self._processes = {
            name: ServiceProcess(module, name=name, folder=folder) for name in self.names
        }

    def start(self) -> None:
        for process in self._processes.values():
            process.start()
        for process in self._processes.values():
            process.wait_until_ready()

    def close(self) -> None:
        self._client.close()
        for process in self._processes.values():
            process.close()

    @property
    def variables(self) -> Mapping[str, str]:
        """The addresses, as variables of the service that asks them."""
        return {
            f"ATLAS_{name.upper()}_ADDRESS": f"127.0.0.1:{process.port}"
            for name, process in self._processes.items()
        }

    def url(self, name: str) -> str:
        return self._processes[name].url

    def script(self, name: str, /, **fields: Any) -> None:
        """Set a script at one stand-in."""
        document = {"name": "scripted", **fields}
        self._client.post(f"{self.url(name)}/chaos/scripts", json=document).raise_for_status()

    def begin(self) -> None:
        """Remove every script from every stand-in, and look only at what comes from now on."""
        for name in self.names:
            self._client.delete(f"{self.url(name)}/chaos/scripts").raise_for_status()
            self._seen[name] = len(self._processes[name].events("received"))

    def lift(self, name: str, script: str = "scripted") -> None:
        """Remove one script."""
        self._client.delete(f"{self.url(name)}/chaos/scripts/{script}").raise_for_status()

    def received(self, name: str, call_id: str | None = None) -> list[dict[str, Any]]:
        """Return what has reached one stand-in since `begin`, from its own record.

        A record follows the last byte of its answer. The stand-in answers in one event loop, so
        once it has answered a later request, the records of earlier answers are written.
        """
        self._client.get(f"{self.url(name)}/v1/health").raise_for_status()
        records = self._processes[name].events("received")[self._seen.get(name, 0) :]
        return [record for record in records if call_id in {None, record["call_id"]}]
