"""Run the whole path of an operation against ourselves, so that no first operation pays for it."""

import asyncio
import dataclasses

from harness.clock import Clock
from harness.load.client import Client
from harness.load.plan import LoadPlan, PlannedLoad
from harness.load.schedule import Arrival
from harness.model.records import Outcome
from harness.model.scenario import Reuse

_ROUNDS = 20  # imports and caches settle after two or three; twenty take about 5 ms
_CONNECTIONS = 2  # the pool is last-in first-out: at usual rates two carry nearly everything

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"


async def warm_up(client: Client, *, clock: Clock) -> None:
    """Exercise the code on a server of our own, then open connections to the services.

    The services see connections and no request: a request would spend a limiter's tokens and
    move a breaker's counters before the run has begun.

    Raises:
        OSError: If a service cannot be reached.
        RuntimeError: If the client cannot talk to our own server.
    """
    await _rehearse(clock)
    await client.open_ahead(_CONNECTIONS)


async def _rehearse(clock: Clock) -> None:
    async with await asyncio.start_server(_answer, host="127.0.0.1", port=0) as server:
        plan = _plan(server.sockets[0].getsockname()[1])
        client = Client(plan, clock=clock)
        for arrival in plan.arrivals:
            operation = await client.perform(arrival, t0_ns=clock.now_ns())
            if operation.outcome != Outcome.OK:
                raise RuntimeError(f"the rehearsal ended {operation.outcome}: {operation.reason}")
        client.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(_ROUNDS):
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break
        writer.write(_ANSWER)
        await writer.drain()
    writer.close()


def _plan(port: int) -> LoadPlan:
    pooled = PlannedLoad(
        name="rehearsal",
        host="127.0.0.1",
        port=port,
        method="GET",
        path="/{word}",
        body=None,
        rows=({"word": "ready"},),
        reuse=Reuse.POOLED,
        timeout_s=5.0,
        expect_status=(),
    )
    fresh = dataclasses.replace(pooled, name="rehearsal_fresh", reuse=Reuse.FRESH)
    arrivals = tuple(
        Arrival(at_ns=0, load=load.name, call_id=f"{load.name}-{number}", client="c-000", row=0)
        for load in (pooled, fresh)
        for number in range(_ROUNDS // 2)
    )
    return LoadPlan(loads=(pooled, fresh), arrivals=arrivals)
