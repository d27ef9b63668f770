"""Perform the operations of a load, one connection each at a time."""

import asyncio
import dataclasses
from collections.abc import Mapping

from harness.clock import Clock
from harness.load.connection import Connection, ExchangeCut
from harness.load.outcome import Ending, judge_answer, judge_connect_error
from harness.load.plan import LoadPlan, PlannedLoad
from harness.load.pool import Pool
from harness.load.request import Request, render
from harness.load.schedule import Arrival
from harness.model.records import Operation, Outcome
from harness.model.scenario import Reuse


class Client:
    """Send each operation once: no retry, no redirect, no cookie, no proxy, no name server.

    Each of those would make attempts that the history knows nothing of.
    """

    def __init__(self, plan: LoadPlan, *, clock: Clock) -> None:
        self._clock = clock
        self._loads: Mapping[str, PlannedLoad] = {load.name: load for load in plan.loads}
        addresses = {(load.host, load.port) for load in plan.loads}
        self._pools = {address: Pool(*address, clock=clock) for address in sorted(addresses)}

    async def perform(self, arrival: Arrival, *, t0_ns: int) -> Operation:
        """Return how one operation went; its dispatch is now, its latency counts from `at_ns`.

        Args:
            arrival: What to send.
            t0_ns: CLOCK_MONOTONIC at the start of the run.

        Raises:
            OSError: If this host has no more file descriptors or ports.
        """
        started_ns = self._clock.now_ns()
        load = self._loads[arrival.load]
        request = render(load, arrival)
        ending = await self._attempt(load, request, call_id=arrival.call_id)
        return Operation(
            t_ns=arrival.at_ns,
            started_ns=started_ns - t0_ns,
            end_ns=self._clock.now_ns() - t0_ns,
            load=load.name,
            call_id=arrival.call_id,
            client=arrival.client,
            method=load.method,
            target=request.target,
            **{item.name: getattr(ending, item.name) for item in dataclasses.fields(ending)},
        )

    async def open_ahead(self, connections: int) -> None:
        """Open connections of each pooled load, so that the first operations find some.

        Raises:
            OSError: If a service cannot be reached.
        """
        pooled = {(ld.host, ld.port) for ld in self._loads.values() if ld.reuse is Reuse.POOLED}
        for address in sorted(pooled):
            pool = self._pools[address]
            opened = [await pool.open() for _ in range(connections)]
            for connection in opened:
                pool.release(connection)

    def close(self) -> None:
        """End all idle connections."""
        for pool in self._pools.values():
            pool.close()

    async def _attempt(self, load: PlannedLoad, request: Request, *, call_id: str) -> Ending:
        pool = self._pools[load.host, load.port]
        connection: Connection | None = None
        try:
            async with asyncio.timeout(load.timeout_s):
                connection = await _connect(pool, load.reuse)
                answer = await connection.exchange(request.content)
        except ExchangeCut as cut:
            return Ending(outcome=Outcome.UNKNOWN, reason=cut.cut.value)
        except OSError as error:  # a timeout is one, and so is a connection closed before use
            return _unanswered(connection, error)
        finally:
            if connection is not None:
                _give_back(connection, pool, load.reuse)
        return judge_answer(answer, call_id=call_id, expect_status=load.expect_status)


async def _connect(pool: Pool, reuse: Reuse) -> Connection:
    idle = pool.take() if reuse is Reuse.POOLED else None
    return idle if idle is not None else await pool.open()


def _unanswered(connection: Connection | None, error: OSError) -> Ending:
    if connection is not None and isinstance(error, TimeoutError):
        return Ending(outcome=Outcome.UNKNOWN, reason="timeout")
    return judge_connect_error(error)


def _give_back(connection: Connection, pool: Pool, reuse: Reuse) -> None:
    """Pool a connection that waits for nothing; end any other, as its answer may still come."""
    if connection.is_idle and reuse is Reuse.POOLED:
        pool.release(connection)
    else:
        connection.abort()
