"""The containers of a system's services, one incarnation after the other."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psutil

from harness.clock import Clock
from harness.environments import postgres, readiness
from harness.environments.compose.engine import Engine, EngineRefused
from harness.environments.compose.told import ContainerEvent, ContainerState
from harness.model.errors import HarnessError, ServiceNotReady
from harness.model.records import NS_PER_S, ProcessRecord
from harness.model.run import Recorder
from harness.model.system import Service, ServiceKind

READY_WITHIN_S = 120.0  # at least: all containers at once took 28 to 117 s on two busy cores
_ENDED_WITHIN_S = 10.0  # the engine tells of an end within milliseconds
_ASK_WITHIN_S = 1.0
_POLL_S = 0.05
LINES = 12
_BY_FORCE = 137  # 128 + SIGKILL
# The kernel kills the process with the highest score first, which would be the one that takes the
# memory. `tail` keeps all that it reads until a line ends.
_EXHAUST = """\
read -r service _ 2>/dev/null </proc/1/task/1/children
echo 1000 >"/proc/${service:-1}/oom_score_adj"
head -c "$1" /dev/zero | tail >/dev/null
"""


class ServiceContainer:
    """One service of a run in a container that Compose made.

    Args:
        service: What the system file says of it.
        container: Id of its container.
        port: Published port on loopback, for all incarnations: clients know the address.
        engine: The Docker engine.
        clock: Clock of the run.
        record: Takes the records of its starts and ends; their times are absolute.
    """

    def __init__(
        self,
        service: Service,
        *,
        container: str,
        port: int,
        engine: Engine,
        clock: Clock,
        record: Recorder,
    ) -> None:
        self.service = service
        self.container = container
        self.port = port
        self._engine = engine
        self._clock = clock
        self._record = record
        self._state = ContainerState(status="created", pid=0, exit_code=0, has_init=False)
        self._incarnation = 0
        # Held by a fault while it acts or heals: the start of one container may take longer than
        # the scaled pause between two faults, and an end in the middle of it would look like death.
        self.turn = asyncio.Lock()
        # What a fault laid into the network of an incarnation ends with it, so each of these lays
        # it again as soon as the next one has started.
        self.renewals: list[Callable[[], Awaitable[None]]] = []
        self._is_down_on_purpose = True
        self._has_ended = asyncio.Event()

    @property
    def name(self) -> str:
        """Return the service's name."""
        return self.service.name

    @property
    def is_running(self) -> bool:
        """Say whether the present incarnation lives, frozen or not."""
        return self._state.status in {"running", "paused"} and not self._has_ended.is_set()

    @property
    def pid(self) -> int:
        """Return the process id of the present incarnation, as this host's kernel numbers it.

        Raises:
            HarnessError: If there is none.
        """
        if not self.is_running:
            raise HarnessError(f"service {self.name!r} is not running")
        below = self._below() if self._state.has_init else []
        return below[0].pid if below else self._state.pid

    def pids(self) -> list[int]:
        """Return all processes of the service; PostgreSQL has one for each connection."""
        if not self.is_running:
            return []
        first = [] if self._state.has_init else [self._state.pid]
        return [*first, *(one.pid for one in self._below(recursive=True))]

    def _below(self, *, recursive: bool = False) -> list[psutil.Process]:
        try:
            return psutil.Process(self._state.pid).children(recursive=recursive)
        except psutil.Error as error:
            raise HarnessError(f"process {self._state.pid} of {self.name!r} is gone") from error

    async def state(self) -> ContainerState:
        """Ask the engine what the container is, and remember it."""
        self._state = await self._engine.state(self.container)
        return self._state

    async def start(self) -> None:
        """Start the next incarnation and wait until it is ready.

        Raises:
            ServiceNotReady: If it is not ready in time or dies, with the end of its log.
        """
        self._incarnation += 1
        self._has_ended.clear()
        self._is_down_on_purpose = False
        await self._engine.start(self.container)
        self._tell("started", pid=(await self.state()).pid)
        for renew in tuple(self.renewals):
            await renew()
        await self.wait_until_ready()
        self._tell("ready", pid=self._state.pid)

    async def wait_until_ready(self) -> None:
        """Wait until the service can be used over its published port.

        Raises:
            ServiceNotReady: If that takes too long or it dies, with the end of its log.
        """
        postgresql = self.service.kind is ServiceKind.POSTGRESQL
        await self._wait_until(self._accepts_sessions if postgresql else self._answers)

    async def stop(self) -> bool:
        """Stop gracefully; return whether it ended by itself within the service's bound."""
        if not self.is_running:
            return True
        self._is_down_on_purpose = True
        if self._state.status == "paused":
            await self.resume()
        await self._engine.stop(self.container, within_s=math.ceil(self.service.stop_within_s))
        return (await self._gone()).exit_code != _BY_FORCE

    async def let_end(self) -> None:
        """Stop it at the end of the run, when nobody listens to the engine any more."""
        await self._engine.stop(self.container, within_s=math.ceil(self.service.stop_within_s))

    async def kill(self) -> None:
        """Kill all its processes with SIGKILL and wait until the engine says so."""
        if self.is_running:
            self._is_down_on_purpose = True
            await self._engine.kill(self.container)
            await self._gone()

    async def exhaust_memory(self, size_bytes: int) -> ContainerState:
        """Take all memory of the container until the kernel kills the service, and wait for that.

        Args:
            size_bytes: What all of the container may use at most.

        Raises:
            HarnessError: If the service does not end.
        """
        self._is_down_on_purpose = True
        with suppress(EngineRefused):  # the container ends under the program that is run there
            await self._engine.run(
                self.container, ["sh", "-c", _EXHAUST, "sh", str(size_bytes)], {}
            )
        try:
            return await self._gone()
        except HarnessError:
            self._is_down_on_purpose = False
            raise

    async def restart(self) -> bool:
        """Stop gracefully and start again; return as `stop` does."""
        ended = await self.stop()
        await self.start()
        return ended

    async def pause(self) -> ContainerState:
        """Freeze all its processes and return what the engine says then."""
        await self._engine.pause(self.container)
        return await self.state()

    async def resume(self) -> ContainerState:
        """Let all its processes go on, if they are frozen, and return what the engine says then."""
        if (await self.state()).status == "paused":
            await self._engine.unpause(self.container)
        return await self.state()

    async def log_tail(self) -> str:
        """Return the last lines that it said, for error messages."""
        return (await self._engine.logs(self.container, lines=LINES)).decode(errors="replace")

    def heard(self, event: ContainerEvent) -> None:
        """Take note of what the engine tells: the container ended, or ran out of memory."""
        at_ns = self._clock.now_ns() - (self._clock.wall_unix_ns() - event.wall_unix_ns)
        if event.what == "oom":
            self._tell("oom", "a process was killed for want of memory", at_ns=at_ns)
            return
        self._has_ended.set()
        what = "stopped" if self._is_down_on_purpose else "crashed"
        self._tell(what, f"code {event.exit_code}", at_ns=at_ns, pid=self._state.pid)

    async def _gone(self) -> ContainerState:
        """Wait until its end is on record, and return what the engine says of it."""
        try:
            async with asyncio.timeout(_ENDED_WITHIN_S):
                await self._has_ended.wait()
        except TimeoutError as error:
            raise HarnessError(f"docker told of no end of service {self.name!r}") from error
        return await self.state()

    def _tell(self, what: str, detail: str = "", *, pid: int = 0, at_ns: int | None = None) -> None:
        self._record(
            ProcessRecord(
                t_ns=self._clock.now_ns() if at_ns is None else at_ns,
                service=self.name,
                incarnation=str(self._incarnation),
                what=what,
                pid=pid,
                detail=detail,
            )
        )

    async def _wait_until(self, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Poll until the service is ready, it dies, or its bound is over."""
        within_s = max(READY_WITHIN_S, self.service.ready_within_s)
        bound_ns = self._clock.now_ns() + int(within_s * NS_PER_S)
        while self._clock.now_ns() < bound_ns:
            if self._has_ended.is_set():
                code = (await self.state()).exit_code
                raise ServiceNotReady(
                    f"container of service {self.name!r} ended with code {code} while it "
                    f"started:\n{await self.log_tail()}"
                )
            if await is_ready():
                return
            await self._clock.sleep(_POLL_S)
        raise ServiceNotReady(
            f"service {self.name!r} was not ready within {within_s:g} s:\n{await self.log_tail()}"
        )

    async def _answers(self) -> bool:
        """Ask over HTTP: a published port accepts connections whether somebody listens or not."""
        return await readiness.answers_ok(self.port, self.service.ready_path or "/")

    async def _accepts_sessions(self) -> bool:
        """Ask for a session with the service's own database, which is made last."""
        try:
            session = await postgres.connect(
                self.port, self.service.database, within_s=_ASK_WITHIN_S
            )
        except (OSError, TimeoutError, ServiceNotReady):
            return False
        session.close()
        return True
