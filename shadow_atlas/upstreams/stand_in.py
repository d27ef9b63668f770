"""Serve the queries of one stand-in as an ASGI application, and record each of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from shadow_atlas import headers
from shadow_atlas.clock import Clock
from shadow_atlas.upstreams.answers import Answer, AnswerDesk
from shadow_atlas.upstreams.portals import PortalForm
from shadow_atlas.upstreams.received import Received, ReceivedRecord, attempt_number
from shadow_atlas.upstreams.script_book import Asked, Plan, ScriptBook
from shadow_atlas.upstreams.scripts import Close
from shadow_atlas.upstreams.transmission import Transmission

HANG_MAX_S = 600.0  # every wait has an end, also one for a client that never gives up

Scope = MutableMapping[str, Any]  # the types of the ASGI specification
Receive = Any
Send = Any


class StandIn:
    """Answer one portal's queries.

    Args:
        form: How the portal reads queries.
        desk: What it answers.
        book: The scripts that bend its answers.
        record: Where each request is recorded.
        clock: Times requests, and waits.
        stopping: Set when the service stops: every request that is held back is let go.
    """

    def __init__(
        self,
        *,
        form: PortalForm,
        desk: AnswerDesk,
        book: ScriptBook,
        record: ReceivedRecord,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        self._form = form
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
                state=asked.state,
                layer=asked.layer,
            )
        )

    def _asked(self, scope: Scope, params: Mapping[str, str]) -> Asked:
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        state, layer = self._form.locate(scope["path"], params)
        return Asked(
            path=scope["path"],
            state=state,
            layer=layer,
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
            what = None  # lifted: the portal answers as if nothing had been
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
