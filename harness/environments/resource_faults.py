"""Take processor time, memory, open files and connections away from services."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from itertools import count, islice
from pathlib import Path

import psutil

from harness.clock import Clock
from harness.environments import child, postgres
from harness.environments.journal import Journal
from harness.environments.running_service import RunningService
from harness.environments.world import MARK
from harness.model.errors import FaultNotApplied, FaultNotHealed, HarnessError, ServiceNotReady
from harness.model.fault import Applied, Effect
from harness.model.system import ServiceKind

_LOOK_EVERY_S = 0.05
_CONNECT_WITHIN_S = 2.0
_NEAR_BYTES = 1 << 20  # an allocation of a page group fails this close to the limit
_BITE_RATIO = 0.2  # a busy loop on a shared processor that got less did not press at all


class ResourceFaults:
    """Act on the resources of the services of one run."""

    def __init__(
        self,
        services: Mapping[str, RunningService],
        *,
        journal: Journal,
        clock: Clock,
        run_id: str,
        logs: Path,
    ) -> None:
        self._services = services
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._logs = logs

    def _service(self, name: str) -> RunningService:
        service = self._services.get(name)
        if service is None or not service.is_running:
            raise FaultNotApplied(f"service {name!r} is not running in this run")
        return service

    def cpu_pressure(self, service: str, workers: int) -> Effect:
        """Pin the service to one processor and keep `workers` busy loops on it."""
        return self._pressed(self._service(service), workers)

    def memory_pressure(self, service: str, size_bytes: int) -> Effect:
        """Limit the service's address space to what it has now plus `size_bytes`."""
        target = self._service(service)

        def used() -> int:
            return int(psutil.Process(target.pid).memory_info().vms)

        wanted = used() + size_bytes
        return self._limited(
            target,
            resource.RLIMIT_AS,
            lambda: wanted,
            lambda limit: used() + _NEAR_BYTES >= limit,
        )

    def fds_exhausted(self, service: str, spare: int) -> Effect:
        """Leave the service exactly `spare` descriptors, also after it has closed some."""
        target = self._service(service)
        return self._limited(
            target,
            resource.RLIMIT_NOFILE,
            lambda: _spare_descriptor(target.pid, spare),
            lambda limit: _spare_descriptor(target.pid, 0) >= limit,
        )

    def connections_exhausted(self, service: str, spare: int) -> Effect:
        """Hold sessions of a PostgreSQL service until only `spare` more are accepted."""
        target = self._service(service)
        if target.service.kind is not ServiceKind.POSTGRESQL:
            raise FaultNotApplied(
                f"connections_exhausted needs a postgresql service, not {service!r}"
            )
        return self._held(target, spare)

    @asynccontextmanager
    async def _pressed(self, service: RunningService, workers: int) -> AsyncIterator[Applied]:
        cpu = min(psutil.Process().cpu_affinity())
        async with AsyncExitStack() as stack:
            for pid in service.pids():
                stack.enter_context(_pinned(self._journal, service.name, pid, cpu))
            burner = await child.spawn(
                child.Command(
                    argv=[
                        sys.executable,
                        "-P",  # a folder called `harness` where the user stands is not ours
                        "-m",
                        "harness.environments.burner",
                        str(cpu),
                        str(workers),
                    ],
                    environment=child.inherited_environment(**{MARK: self._run_id}),
                    log=self._logs / "burner.log",
                )
            )
            stack.push_async_callback(child.kill, burner)
            start_ns, start_s = self._clock.now_ns(), _cpu_s(burner.pid)
            applied = Applied(
                read_back=f"{service.name} shares processor {cpu} with {workers} loops"
            )
            try:
                yield applied
            finally:
                burnt_s = _cpu_s(burner.pid) - start_s
                lasted_s = (self._clock.now_ns() - start_ns) / 1e9
                applied.effects = int(lasted_s > 0 and burnt_s >= _BITE_RATIO * lasted_s)
                applied.effect = f"loops used {burnt_s:.2f} s of processor time in {lasted_s:.2f} s"

    @asynccontextmanager
    async def _limited(
        self,
        service: RunningService,
        kind: int,
        wanted: Callable[[], int],
        is_reached: Callable[[int], bool],
    ) -> AsyncIterator[Applied]:
        """Keep a soft limit at the lowest value that was wanted so far."""
        pid, limit = service.pid, wanted()
        soft, hard = resource.prlimit(pid, kind)
        undo = {
            "kind": "limit",
            "pid": pid,
            "started": psutil.Process(pid).create_time(),
            "resource": kind,
            "soft": soft,
            "hard": hard,
        }
        with self._journal.undoing(f"limit {kind} of {service.name}", undo):
            try:
                resource.prlimit(pid, kind, (limit, hard))
                if resource.prlimit(pid, kind)[0] != limit:
                    raise FaultNotApplied(f"limit of process {pid} is not {limit}")
                applied = Applied(read_back=f"soft limit of process {pid} is {limit}, was {soft}")

                def look() -> bool:
                    nonlocal limit
                    if (lower := wanted()) < limit:
                        limit = lower
                        resource.prlimit(pid, kind, (limit, hard))
                    return is_reached(limit)

                async with self._watching(look, applied):
                    yield applied
            finally:
                await self._lift(service, pid, kind, (soft, hard))

    async def _lift(
        self, service: RunningService, pid: int, kind: int, limits: tuple[int, int]
    ) -> None:
        if not service.is_running:
            await service.start()  # it died of the pressure; what supervises it starts it again
            return
        if service.pid == pid:
            resource.prlimit(pid, kind, limits)
        if resource.prlimit(service.pid, kind)[0] != limits[0]:
            raise FaultNotHealed(f"limit of process {service.pid} is not {limits[0]} again")

    @asynccontextmanager
    async def _watching(
        self, is_reached: Callable[[], bool], applied: Applied
    ) -> AsyncIterator[None]:
        """Count how often the service was seen at its limit."""

        async def watch() -> None:
            while True:
                looks.append(_ask(is_reached))
                await self._clock.sleep(_LOOK_EVERY_S)

        looks: list[bool] = []
        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            applied.effects = sum(looks)
            applied.effect = f"at its limit in {sum(looks)} of {len(looks)} looks"

    @asynccontextmanager
    async def _held(self, service: RunningService, spare: int) -> AsyncIterator[Applied]:
        database = service.service.database
        held: list[postgres.Session] = []
        with self._journal.undoing(f"hold {service.name}", {"kind": "ends_with_process"}):
            try:
                refusal = await self._fill(held, service, database)
                for _ in range(min(spare, len(held))):
                    held.pop().close()
                seen = f"{len(held)} sessions held, the next one was refused: {refusal}"
                yield Applied(read_back=seen, effects=1, effect=seen)
            finally:
                for session in held:
                    session.close()
                await self._demand_session(service, database)

    @staticmethod
    async def _fill(held: list[postgres.Session], service: RunningService, database: str) -> str:
        """Open sessions until one is refused, and return the refusal."""
        for _ in range(service.service.max_connections + 1):
            try:
                held.append(
                    await postgres.connect(service.port, database, within_s=_CONNECT_WITHIN_S)
                )
            except ServiceNotReady as refusal:
                return str(refusal)
        raise FaultNotApplied(f"{service.name} took more sessions than its limit")

    async def _demand_session(self, service: RunningService, database: str) -> None:
        """Wait until a session is accepted again: the server needs a moment to end the others."""
        for _ in range(int(_CONNECT_WITHIN_S / _LOOK_EVERY_S)):
            try:
                session = await postgres.connect(service.port, database, within_s=_CONNECT_WITHIN_S)
            except (OSError, ServiceNotReady):
                await self._clock.sleep(_LOOK_EVERY_S)
                continue
            session.close()
            return
        raise FaultNotHealed(f"{service.name} accepts no session after the held ones were closed")


@contextmanager
def _pinned(journal: Journal, name: str, pid: int, cpu: int) -> Iterator[None]:
    """Keep a process on one processor."""
    process = psutil.Process(pid)
    cpus = process.cpu_affinity()
    undo = {"kind": "affinity", "pid": pid, "started": process.create_time(), "cpus": cpus}
    with journal.undoing(f"pin {name}", undo):
        try:
            process.cpu_affinity([cpu])
            yield
        finally:
            with suppress(psutil.NoSuchProcess):  # a process that is gone needs nothing
                process.cpu_affinity(cpus)


def _ask(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except (psutil.Error, HarnessError, OSError):
        return True  # the process died while it was at its limit


def _spare_descriptor(pid: int, spare: int) -> int:
    """Return the limit that leaves a process `spare` descriptors to open.

    The limit is on the number of a descriptor, not on their count, and the lowest free number is
    taken first: with 0, 1 and 3 open, a limit of 2 leaves none and one of 3 leaves one.
    """
    taken = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    free = (number for number in count() if number not in taken)
    return next(islice(free, spare, None))


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process and its children, seconds; 0 if it is gone."""
    try:
        process = psutil.Process(pid)
        times = [process.cpu_times(), *(one.cpu_times() for one in process.children())]
    except psutil.Error:
        return 0.0
    return float(sum(one.user + one.system for one in times))
