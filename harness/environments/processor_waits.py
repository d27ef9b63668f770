"""Record how long services wait for a processor: what a busy machine does to them.

Linux counts, for each thread, the time that it was ready to run and did not; the event loop of a
service is its first thread. A system without `/proc/PID/schedstat` records nothing, and then
nothing is excused either. A wait is never longer than the time that was looked at: a kernel was
seen to book twenty seconds at once for a process that had slept through them.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from harness.clock import Clock
from harness.environments.services import ServiceProcess
from harness.model.records import ProcessorWait
from harness.model.run import Recorder

LOOK_EVERY_S = 0.25
SHARE_MIN = 0.1  # below it a wait changes no latency that anybody judges


@asynccontextmanager
async def recording_waits(
    services: Mapping[str, ServiceProcess], *, record: Recorder, clock: Clock
) -> AsyncIterator[None]:
    """Record the waits of all services while the context is open.

    Args:
        services: The services; one that does not run at the moment is passed over.
        record: Takes the records, with absolute times.
        clock: Is waited on and read.
    """
    task = asyncio.create_task(_watch(services, record, clock))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _watch(services: Mapping[str, ServiceProcess], record: Recorder, clock: Clock) -> None:
    before: dict[int, int] = {}
    before_ns = clock.now_ns()
    while True:
        await clock.sleep(LOOK_EVERY_S)
        now_ns = clock.now_ns()
        waited = {pid: (name, total) for name, pid, total in _totals(services)}
        for pid, (name, total_ns) in waited.items():
            interval_ns = now_ns - before_ns
            waited_ns = min(total_ns - before.get(pid, total_ns), interval_ns)
            if waited_ns > SHARE_MIN * interval_ns:
                record(
                    ProcessorWait(
                        t_ns=now_ns, service=name, waited_ns=waited_ns, interval_ns=interval_ns
                    )
                )
        before = {pid: total for pid, (_, total) in waited.items()}
        before_ns = now_ns


def _totals(services: Mapping[str, ServiceProcess]) -> list[tuple[str, int, int]]:
    """Return name, process and nanoseconds waited so far of each service that runs."""
    found = []
    for name, service in services.items():
        if service.is_running:
            try:
                words = Path(f"/proc/{service.pid}/schedstat").read_text().split()
            except OSError:
                continue  # it has just ended, or this is not Linux
            found.append((name, service.pid, int(words[1])))
    return found
