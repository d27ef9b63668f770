"""Start the two programs that can carry faults, and know when each is ready and ours."""

import asyncio
import json
import os
import shutil
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fault_injectors.toxiproxy.errors import (
    DeadlineMissed,
    ProxyError,
    ProxyNotFound,
    ProxyNotStarted,
)
from fault_injectors.toxiproxy.transport import Transport

HOST = "127.0.0.1"
READY_WITHIN_S = 10.0  # an interpreter that starts on a busy machine; usually below 0.5 s
OURS_WITHIN_S = 5.0  # the real server is there in 20 ms, or its port was taken
POLL_S = 0.01
PORTS_TRIED_MAX = 5
TERM_WITHIN_S = 2.0  # with a blocked call in flight the real server takes 24 s: do not wait
SOURCE_ROOT = Path(__file__).resolve().parents[2]  # where a child finds `fault_injectors`


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A proxy process that answers, and is the one that we started."""

    process: Process
    port: int


class Program(Protocol):
    """A program that can be started as a fault proxy."""

    async def start(self, port: int | None) -> Started:
        """Start it on a control port, or on any if None; on failure nothing is left running.

        Raises:
            ProxyNotStarted: If it does not become ready.
        """
        ...


class EmbeddedProgram:
    """`python -m fault_injectors.proxy`; it tells its port in a ready file.

    Args:
        env: The whole environment of the process; `ATLAS_EVENT_DIR` and `ATLAS_SEED` count, and
            each further start is the next incarnation after `ATLAS_INCARNATION`.
        log_path: File that its output is appended to.
    """

    def __init__(self, *, env: Mapping[str, str], log_path: Path) -> None:
        path = os.pathsep.join(filter(None, [str(SOURCE_ROOT), env.get("PYTHONPATH", "")]))
        self._env = {**env, "PYTHONPATH": path}
        self._log_path = log_path
        self._incarnation = int(env.get("ATLAS_INCARNATION", "1"))

    async def start(self, port: int | None) -> Started:
        """Start it and wait for the ready file."""
        ready_file = self._log_path.with_name(self._log_path.name + ".ready")
        ready_file.unlink(missing_ok=True)
        module = [sys.executable, "-P", "-m", "fault_injectors.proxy"]
        flags = ["--port", str(port or 0), "--ready-file", str(ready_file)]
        flags += ["--incarnation", str(self._incarnation)]
        self._incarnation += 1
        process = await _spawn([*module, *flags], env=self._env, log_path=self._log_path)
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                return Started(process=process, port=await _wait_for_port(process, ready_file))
        except TimeoutError as error:
            await end(process)
            raise ProxyNotStarted(f"embedded proxy not ready in {READY_WITHIN_S:g} s") from error
        except BaseException:
            await end(process)
            raise
        finally:
            ready_file.unlink(missing_ok=True)


class ToxiproxyProgram:
    """The vendor's server; a disabled proxy with a name of ours proves which process answers.

    If its port is taken it stays alive without an API, and whoever holds the port answers.

    Args:
        binary: The program.
        env: The whole environment of the process.
        log_path: File that its output is appended to; a pipe that nobody reads would block it.
    """

    def __init__(self, binary: Path, *, env: Mapping[str, str], log_path: Path) -> None:
        self._binary = binary
        self._env = {"LOG_LEVEL": "error", **env}  # at "info" it logs every client
        self._log_path = log_path

    async def start(self, port: int | None) -> Started:
        """Start it, on the next free port if another process answers on the chosen one."""
        ports = [port] if port else [_free_port() for _ in range(PORTS_TRIED_MAX)]
        reasons: list[str] = []
        for each in ports:
            try:
                return Started(process=await self._start_on(each), port=each)
            except ProxyNotStarted as error:
                reasons.append(str(error))
        raise ProxyNotStarted("; ".join(reasons))

    async def _start_on(self, port: int) -> Process:
        marker = f"marker.{os.getpid()}.{port}"
        config = self._log_path.with_name(self._log_path.name + ".marker.json")
        disabled = {"listen": f"{HOST}:0", "upstream": f"{HOST}:1", "enabled": False}
        config.write_text(json.dumps([{"name": marker, **disabled}]), encoding="utf-8")
        argv = [str(self._binary), "-host", HOST, "-port", str(port), "-config", str(config)]
        process = await _spawn(argv, env=self._env, log_path=self._log_path)
        try:
            async with asyncio.timeout(OURS_WITHIN_S):
                await _wait_for_marker(process, Transport(HOST, port), marker)
        except TimeoutError as error:
            await end(process)
            raise ProxyNotStarted(f"port {port}: it did not answer as ours in time") from error
        except BaseException:
            await end(process)
            raise
        finally:
            config.unlink(missing_ok=True)
        return process


def find_toxiproxy_server() -> Path | None:
    """Return the vendor's server from `.tools/bin` or PATH, or None."""
    name = "toxiproxy-server"
    for folder in (Path.cwd(), SOURCE_ROOT):
        candidate = folder / ".tools" / "bin" / name
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which(name)
    return None if found is None else Path(found)


async def end(process: Process) -> None:
    """End a process, by SIGKILL if SIGTERM does not, and wait until it is gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(TERM_WITHIN_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
    await process.wait()


async def kill(process: Process) -> None:
    """Kill a process and wait until it is gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()


async def _spawn(argv: Sequence[str], *, env: Mapping[str, str], log_path: Path) -> Process:
    with log_path.open("ab") as log:
        try:
            return await asyncio.create_subprocess_exec(
                *argv,
                env=dict(env),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started us, who then heals first
            )
        except OSError as error:
            raise ProxyNotStarted(f"cannot start {argv[0]}: {error}") from error


async def _wait_for_port(process: Process, ready_file: Path) -> int:
    while (port := _port_in(ready_file)) is None:  # bounded by the caller's timeout
        if process.returncode is not None:
            raise ProxyNotStarted(f"the embedded proxy ended with {process.returncode}")
        await asyncio.sleep(POLL_S)
    return port


def _port_in(ready_file: Path) -> int | None:
    if not ready_file.exists():
        return None
    port: int = json.loads(ready_file.read_bytes())["port"]
    return port


async def _wait_for_marker(process: Process, transport: Transport, marker: str) -> None:
    path = f"/proxies/{marker}"
    while True:  # bounded by the caller's timeout
        if process.returncode is not None:
            raise ProxyNotStarted(f"toxiproxy-server ended with {process.returncode}")
        try:
            await transport.call("get", path, deadline_s=1.0)
            await transport.call("delete", path, deadline_s=1.0)
        except ProxyNotFound as error:
            raise ProxyNotStarted(f"port {transport.port}: somebody else answers") from error
        except (ProxyError, DeadlineMissed):
            await asyncio.sleep(POLL_S)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
