"""Serve the queries of one stand-in as an ASGI application, and record each of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from shadow_atlas import headers
from shadow_atlas.clock import Clock
from shadow_atlas.stand_ins.answers import Answer
from shadow_atlas.stand_ins.received import Received, ReceivedRecord, attempt_number
from shadow_atlas.stand_ins.script_book import Asked, Plan, ScriptBook
from shadow_atlas.stand_ins.scripts import Close, What
from shadow_atlas.stand_ins.transmission import Transmission

HANG_MAX_S = 600.0  # every wait has an end, also one for a client that never gives up

Scope = MutableMapping[str, Any]  # the types of the ASGI specification
Receive = Any
Send = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a request asks for, as far as its path and query tell; None for what they do not.

    Args:
        state: Postal code of a state.
        layer: Layer of its boundaries.
        block: Number of a block of a file, from 0.
    """

    state: str | None = None
    layer: str | None = None
    block: int | None = None

    def __str__(self) -> str:
        if self.block is not None:
            return str(self.block)
        return f"{self.state or '?'}/{self.layer or '?'}"


class Desk(Protocol):
    """Knows what one upstream publishes."""

    def locate(self, path: str, params: Mapping[str, str]) -> Place:
        """Return what a request asks for."""
        ...

    def answer(
        self, path: str, params: Mapping[str, str], *, what: What | None, now_wall_s: float
    ) -> Answer:
        """Return the answer, changed as a script wants."""
        ...


class StandIn:
    """Answer one upstream's queries.

    Args:
        desk: What it answers.
        book: The scripts that bend its answers.
        record: Where each request is recorded.
        clock: Times requests, and waits.
        stopping: Set when the service stops: every request that is held back is let go.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        book: ScriptBook,
        record: ReceivedRecord,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        self._desk = desk
        self._book = book
        self._record = record
        self._clock = clock
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hold it until the client gives up."""
        started_ns = self._clock.monotonic_ns()
        params = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        asked = self._asked(scope, params)
        plan = self._book.plan(asked)
        transmission = Transmission(send=send, clock=self._clock)
        is_recorded = False
        try:
            async with _given_up(receive, self._stopping):
                await self._act(plan, asked, params, transmission)
                # Before anything else runs: whoever has the answer finds its record.
                self._write(scope, asked, plan, transmission, started_ns=started_ns)
                is_recorded = True
        finally:
            if not is_recorded:
                self._write(scope, asked, plan, transmission, started_ns=started_ns)
            if not transmission.is_complete:  # nobody waits for it: no answer, not a made-up one
                await transmission.cut()

    def _write(
        self, scope: Scope, asked: Asked, plan: Plan, transmission: Transmission, *, started_ns: int
    ) -> None:
        self._record.add(
            Received(
                call_id=asked.call_id,
                attempt=asked.attempt,
                method=scope["method"],
                path=asked.path,
                status=transmission.status,
                started_ns=started_ns,
                sent_bytes=transmission.sent_bytes,
                scripted=plan.label,
                subject=str(Place(state=asked.state, layer=asked.layer, block=asked.block)),
            )
        )

    def _asked(self, scope: Scope, params: Mapping[str, str]) -> Asked:
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        place = self._desk.locate(scope["path"], params)
        return Asked(
            path=scope["path"],
            state=place.state,
            layer=place.layer,
            block=place.block,
            call_id=sent.get(headers.CALL_ID),
            attempt=attempt_number(sent.get(headers.ATTEMPT)),
        )

    async def _act(
        self, plan: Plan, asked: Asked, params: Mapping[str, str], transmission: Transmission
    ) -> None:
        what = plan.what
        if plan.latency_s:
            await self._hold(plan, plan.latency_s)
        if what is not None and what.hang:
            await self._hold(plan, HANG_MAX_S)
            what = None  # lifted: the stand-in answers as if nothing had been
        if what is not None and what.close is Close.BEFORE:
            await transmission.cut()
            return
        answer: Answer = self._desk.answer(
            asked.path, params, what=what, now_wall_s=self._clock.wall()
        )
        await transmission.deliver(answer)

    async def _hold(self, plan: Plan, delay_s: float) -> None:
        """Let `delay_s` pass, or less if the scripts that want it are lifted meanwhile."""
        async with asyncio.TaskGroup() as group:
            ends = [
                group.create_task(self._clock.sleep(delay_s)),
                group.create_task(self._book.until_lifted(plan)),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()


class _GivenUp(Exception):
    """The client has gone, or the stand-in stops: nobody waits for the answer any more."""


@asynccontextmanager
async def _given_up(receive: Receive, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Cancel the block as soon as the client closes its connection or the service stops."""
    try:
        async with asyncio.TaskGroup() as group:
            watches = [
                group.create_task(_until_disconnect(receive)),
                group.create_task(_until_stopped(stopping)),
            ]
            yield
            for watch in watches:
                watch.cancel()
    except* _GivenUp:
        pass  # the record tells of it: an answer without a status


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # the body of a query, which has none
    raise _GivenUp


async def _until_stopped(stopping: asyncio.Event) -> None:
    await stopping.wait()
    raise _GivenUp
