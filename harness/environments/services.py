"""The processes of a system's services, one incarnation after the other."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from harness.clock import Clock
from harness.environments import child, postgres, priority, readiness, world
from harness.environments.cluster import make_cluster
from harness.environments.held_listener import HeldListener
from harness.model.errors import HarnessError, ServiceNotReady
from harness.model.records import NS_PER_S, ProcessRecord
from harness.model.run import Recorder
from harness.model.system import Service, ServiceKind

_POLL_S = 0.05


class ServiceProcess:
    """One service of a run on a port of its own.

    Args:
        service: What the system file says of it.
        port: Loopback port for all incarnations: clients know the address.
        environment: Environment variables without those that change with the incarnation.
        folder: Work folder of the run, for data.
        logs: Folder for logs; every incarnation has its own file.
        clock: Clock of the run.
        record: Takes the process's records; their times are absolute and made relative there.
    """

    def __init__(  # noqa: PLR0913 -- a process needs a place, a port, a log and a witness
        self,
        service: Service,
        *,
        port: int,
        environment: Mapping[str, str],
        folder: Path,
        logs: Path,
        clock: Clock,
        record: Recorder,
    ) -> None:
        self.service = service
        self.port = port
        self._environment = environment
        self._folder = folder
        self._logs = logs
        self._clock = clock
        self._record = record
        self._process: Process | None = None
        self._incarnation = 0
        self._is_down_on_purpose = True
        self._watch: asyncio.Task[None] | None = None
        self._listener = HeldListener(port) if service.listener else None
        self._is_restarting = False
        self._yields = False

    @property
    def name(self) -> str:
        """Return the service's name."""
        return self.service.name

    @property
    def pid(self) -> int:
        """Return the process id of the present incarnation.

        Raises:
            HarnessError: If there is none.
        """
        if self._process is None or self._process.returncode is not None:
            raise HarnessError(f"service {self.name!r} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Say whether the present incarnation lives, frozen or not."""
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> Path:
        """Return the log of the present incarnation."""
        return self._logs / f"{self.name}.{self._incarnation}.log"

    @property
    def _data(self) -> Path:
        return self._folder / f"data-{self.name}"

    def pids(self) -> list[int]:
        """Return all processes of the service; PostgreSQL has one for each connection."""
        if self.service.kind is not ServiceKind.POSTGRESQL:
            return [self.pid] if self.is_running else []
        return [process.pid for process in world.processes_of("", self._data)]

    async def start(self) -> None:
        """Start the next incarnation and wait until it is ready.

        Raises:
            ServiceNotReady: If it is not ready in time or dies, with the end of its log.
        """
        self._incarnation += 1
        match self.service.kind:
            case ServiceKind.POSTGRESQL:
                await self._start_postgresql()
            case ServiceKind.COMMAND:
                await self._spawn(self._argv(self.service.command), user=None, cwd=None)
                await self._wait_until(self._answers)
        if self._yields and self._process is not None:
            await priority.restore(self._process.pid, self._clock)
        self._tell("ready")

    async def run_once(self, command: tuple[str, ...]) -> None:
        """Run a command of the service to its end, e.g. one that creates its schema.

        Raises:
            ServiceNotReady: If it fails or does not end in time, with the end of its log.
        """
        log = self._logs / f"{self.name}.prepare.log"
        process = await child.spawn(
            child.Command(argv=self._argv(command), environment=self._variables(), log=log)
        )
        priority.lower(process.pid)
        try:
            await _ended(process, self.service.ready_within_s)
        finally:
            await child.kill(process)  # after a cancellation too: nobody else knows of it
        if process.returncode != 0:
            raise ServiceNotReady(
                f"{' '.join(command)} of service {self.name!r} ended with code "
                f"{process.returncode} (within {self.service.ready_within_s} s):\n{child.tail(log)}"
            )

    async def stop(self) -> bool:
        """Stop gracefully; return whether it ended by itself within the service's bound."""
        process = self._leaving()
        if process is None:
            return True
        # SIGTERM lets PostgreSQL wait for its clients for ever; SIGINT is its "fast" shutdown.
        how = signal.SIGINT if self.service.kind is ServiceKind.POSTGRESQL else signal.SIGTERM
        for pid in self.pids():
            child.signal_pid(pid, signal.SIGCONT)
        ended = await child.stop(process, how=how, within_s=self.service.stop_within_s)
        await self._gone()
        return ended

    async def restart(self) -> bool:
        """Stop gracefully and start again, with a held listener open; return as `stop` does."""
        self._is_restarting = True
        try:
            ended = await self.stop()
            await self.start()
        finally:
            self._is_restarting = False
            self._close_listener_of_none()
        return ended

    async def kill(self) -> None:
        """Kill all its processes with SIGKILL and wait until they are gone."""
        process = self._leaving()
        if process is None:
            return
        others = [pid for pid in self.pids() if pid != process.pid]
        await child.kill(process)
        for pid in others:
            child.signal_pid(pid, signal.SIGKILL)
        await self._gone()

    def pause(self) -> None:
        """Freeze all its processes."""
        for pid in self.pids():
            child.signal_pid(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let all its processes go on."""
        for pid in self.pids():
            child.signal_pid(pid, signal.SIGCONT)

    def _leaving(self) -> Process | None:
        """Return the process that is about to end on purpose."""
        self._is_down_on_purpose = True
        return self._process if self.is_running else None

    async def _gone(self) -> None:
        """Wait until no process of the service is left and its end is on record."""
        for _ in range(int(self.service.stop_within_s / _POLL_S) + 1):
            if not self.pids():
                break
            await self._clock.sleep(_POLL_S)
        if self._watch is not None:
            await self._watch

    def _argv(self, command: tuple[str, ...]) -> list[str]:
        program = sys.executable if command[0] == "python" else command[0]
        return [program, *command[1:]]

    def _variables(self, *lent: int) -> dict[str, str]:
        listener = {f"{self.service.listener}": f"{descriptor}" for descriptor in lent}
        return {**self._environment, "ATLAS_INCARNATION": str(self._incarnation), **listener}

    async def _spawn(self, argv: list[str], *, user: str | None, cwd: Path | None) -> None:
        try:
            lent = () if self._listener is None else (self._listener.descriptor(),)
            command = child.Command(
                argv=argv,
                environment=self._variables(*lent),
                log=self.log,
                user=user,
                cwd=cwd,
                descriptors=lent,
            )
            self._process = await child.spawn(command)
        except (HarnessError, OSError) as error:
            raise ServiceNotReady(f"service {self.name!r}: {error}") from error
        # A later incarnation is part of what is measured.
        self._yields = self._incarnation == 1 and priority.lower(self._process.pid)
        self._is_down_on_purpose = False
        self._tell("started")
        self._watch = asyncio.create_task(self._tell_end(self._process))

    async def _tell_end(self, process: Process) -> None:
        code = await process.wait()
        self._close_listener_of_none()
        self._tell("stopped" if self._is_down_on_purpose else "crashed", f"code {code}", process)

    def _close_listener_of_none(self) -> None:
        """Close a listener that no incarnation uses or is about to use: clients are refused."""
        if self._listener is not None and not self._is_restarting and not self.is_running:
            self._listener.close()

    def _tell(self, what: str, detail: str = "", process: Process | None = None) -> None:
        process = process or self._process
        self._record(
            ProcessRecord(
                t_ns=self._clock.now_ns(),
                service=self.name,
                incarnation=str(self._incarnation),
                what=what,
                pid=process.pid if process else 0,
                detail=detail,
            )
        )

    async def _start_postgresql(self) -> None:
        installation = postgres.find_installation()
        if not self._data.exists():
            database, variables = self.service.database, self._variables()
            try:
                await make_cluster(installation, self._data, database, variables)
            except HarnessError as error:
                raise ServiceNotReady(f"service {self.name!r}: {error}") from error
        argv = postgres.server_argv(
            installation, self._data, self.port, self.service.max_connections
        )
        await self._spawn(argv, user=postgres.server_user(), cwd=self._data)
        await self._wait_until(self._accepts_sessions)

    async def _wait_until(self, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Poll until the service is ready, it dies, or its bound is over."""
        bound_ns = self._clock.now_ns() + int(self.service.ready_within_s * NS_PER_S)
        while self._clock.now_ns() < bound_ns:
            if not self.is_running:
                raise ServiceNotReady(
                    f"service {self.name!r} ended while it started:\n{child.tail(self.log)}"
                )
            if await is_ready():
                return
            await self._clock.sleep(_POLL_S)
        raise ServiceNotReady(
            f"service {self.name!r} was not ready within {self.service.ready_within_s} s "
            f"({await self._question()}):\n{child.tail(self.log)}"
        )

    async def _question(self) -> str:
        """Return what was waited for in vain, and where to look."""
        if not await readiness.accepts_connections(self.port):
            return f"nothing listens on port {self.port}, which it was told in ATLAS_PORT"
        if self.service.ready_path:
            return f"it listens, but GET {self.service.ready_path} did not answer 200"
        return f"port {self.port} did not accept a connection in time"

    async def _answers(self) -> bool:
        if self.service.ready_path is None:
            return await readiness.accepts_connections(self.port)
        return await readiness.answers_ok(self.port, self.service.ready_path)

    async def _accepts_sessions(self) -> bool:
        return await readiness.accepts_sessions(self.port, self.service.database)


async def _ended(process: Process, within_s: float) -> None:
    """Wait until a process has ended, or its time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await process.wait()
