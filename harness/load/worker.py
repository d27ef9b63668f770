"""Be the load process: take a plan, offer it, write what became of it."""

import asyncio
import errno
import gc
import json
import os
import sys
from pathlib import Path

from harness.clock import Clock
from harness.load.alarm import open_alarm
from harness.load.client import Client
from harness.load.dispatch import Dispatcher
from harness.load.lateness import Lateness
from harness.load.plan import LoadPlan
from harness.load.schedule import Arrival
from harness.load.warm_up import warm_up
from harness.model.history import to_json
from harness.model.records import NS_PER_S, LagSample, Record

READY_LINE = b'{"ready": true}\n'

_PLAN_BYTES_MAX = 1 << 28  # two million arrivals are about 120 MB
_TICK_S = 0.02
_LAG_MIN_S = 0.01


class HarnessGone(Exception):
    """Nobody holds the other end of our standard input: whatever we measure is for nobody."""


class OperationFile:
    """Append one line for each record with one `write(2)`, so that a kill loses none."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def append(self, record: Record) -> None:
        """Write one record."""
        line = to_json(record).encode() + b"\n"
        if os.write(self._fd, line) != len(line):
            raise OSError(errno.ENOSPC, "an operation could not be written whole")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


async def work(path: Path, *, clock: Clock) -> None:
    """Offer the load that standard input describes, and end when its last operation has ended.

    Standard input holds a line each: the plan, `{"t0_ns": ...}` once we said that we are ready,
    and `{"stop": true}` to offer nothing more.

    Args:
        path: Where operations, lag samples and at last a note are appended.
        clock: The clock that all times are read from.

    Raises:
        HarnessGone: If standard input ends before the load does.
        OSError: If a service cannot be reached before the start, or this host ran out of
            descriptors or ports.
    """
    lines = await _read_stdin()
    plan = LoadPlan.from_json(await _line(lines))
    client = Client(plan, clock=clock)
    output = OperationFile(path)
    try:
        await warm_up(client, clock=clock)
        gc.collect()
        gc.freeze()  # the plan lives as long as we do; scanning it would stall the load
        sys.stdout.buffer.write(READY_LINE)
        sys.stdout.buffer.flush()
        t0_ns = int(json.loads(await _line(lines))["t0_ns"])
        await _Offer(plan, client, output, clock=clock, t0_ns=t0_ns).run(lines)
    finally:
        client.close()
        output.close()


async def _read_stdin() -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_PLAN_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _line(lines: asyncio.StreamReader) -> bytes:
    line = await lines.readline()
    if not line.endswith(b"\n"):
        raise HarnessGone
    return line


class _Offer:
    """One load in progress."""

    def __init__(
        self, plan: LoadPlan, client: Client, output: OperationFile, *, clock: Clock, t0_ns: int
    ) -> None:
        self._plan = plan
        self._client = client
        self._output = output
        self._clock = clock
        self._t0_ns = t0_ns
        self._lateness = Lateness()

    async def run(self, lines: asyncio.StreamReader) -> None:
        """Offer all arrivals or until told to stop, wait for their ends, leave the note."""
        async with asyncio.TaskGroup() as beside:
            async with asyncio.TaskGroup() as operations:
                dispatcher = Dispatcher(
                    self._plan.arrivals,
                    t0_ns=self._t0_ns,
                    clock=self._clock,
                    dispatch=lambda arrival: operations.create_task(self._perform(arrival)),
                    open_alarm=open_alarm,
                )
                obeying = beside.create_task(_obey(lines, dispatcher))
                ticking = beside.create_task(self._tick())
                await dispatcher.run()
            obeying.cancel()
            ticking.cancel()
        note = self._lateness.note(planned=len(self._plan.arrivals), offered=dispatcher.offered)
        self._output.append(note.to_note(self._elapsed_ns()))

    async def _perform(self, arrival: Arrival) -> None:
        operation = await self._client.perform(arrival, t0_ns=self._t0_ns)
        self._lateness.add(intended_ns=operation.t_ns, started_ns=operation.started_ns)
        self._output.append(operation)

    async def _tick(self) -> None:
        """Write down when this loop did not get to run: then its own times are too late."""
        while True:
            before_ns = self._elapsed_ns()
            await self._clock.sleep(_TICK_S)
            now_ns = self._elapsed_ns()
            lag_ns = now_ns - before_ns - round(_TICK_S * NS_PER_S)
            if lag_ns > _LAG_MIN_S * NS_PER_S:
                self._output.append(LagSample(t_ns=now_ns, service="load", lag_ns=lag_ns))

    def _elapsed_ns(self) -> int:
        return self._clock.now_ns() - self._t0_ns


async def _obey(lines: asyncio.StreamReader, dispatcher: Dispatcher) -> None:
    """Stop the dispatcher when told to; a harness that is gone tells so by the end of its lines."""
    while True:
        if json.loads(await _line(lines)).get("stop"):
            dispatcher.stop()
