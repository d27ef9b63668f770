"""The load process from within: orders, ends, and what it writes."""

import asyncio
import json
from pathlib import Path

import pytest

from harness.clock import SystemClock
from harness.load.client import Client
from harness.load.lateness import LoadNote
from harness.load.operation_tail import OperationTail
from harness.load.plan import LoadPlan
from harness.load.warm_up import warm_up
from harness.load.worker import HarnessGone, OperationFile, _Offer
from harness.model.history import to_json
from harness.model.records import LagSample, Note, Operation, Record
from harness.model.scenario import Reuse
from tests.load.plans import constant_plan, planned_load
from tests.load.scripted_server import Peer, Script, answer_all, serving

CLOCK = SystemClock()


def offer(
    script: Script,
    path: Path,
    orders: list[bytes] | None = None,
    *,
    count: int = 20,
) -> list[Record]:
    """Offer a load at 200/s in this process; `orders` stand on its input from the start.

    Without orders the input stays open; with some it ends after them.
    """

    async def main() -> None:
        lines = asyncio.StreamReader()
        for order in orders or []:
            lines.feed_data(order)
        if orders is not None:
            lines.feed_eof()
        async with serving(script) as served:
            plan = constant_plan(planned_load(served.port), rate_per_s=200, duration_s=count / 200)
            client, output = Client(plan, clock=CLOCK), OperationFile(path)
            try:
                await _Offer(plan, client, output, clock=CLOCK, t0_ns=CLOCK.now_ns()).run(lines)
            finally:
                client.close()
                output.close()

    asyncio.run(main())
    tail = OperationTail(path)
    tail.read()
    return [*tail.operations, *tail.others]


def test_load_ends_with_its_last_operation_and_a_note(tmp_path: Path):
    found = offer(answer_all, tmp_path / "load.ndjson")

    note = found[-1]
    assert sum(isinstance(record, Operation) for record in found) == 20
    assert isinstance(note, Note)
    assert (note.value["planned"], note.value["ended"]) == (20, 20)


async def _hang(peer: Peer) -> None:
    await peer.reader.read()


def test_end_of_the_input_ends_the_load_with_operations_in_flight(tmp_path: Path):
    with pytest.RaisesGroup(HarnessGone):
        offer(_hang, tmp_path / "load.ndjson", [])


def test_stop_order_offers_nothing_more(tmp_path: Path):
    path = tmp_path / "load.ndjson"

    async def main() -> None:
        lines = asyncio.StreamReader()
        async with serving(answer_all) as served:
            plan = constant_plan(planned_load(served.port), rate_per_s=100, duration_s=600.0)
            client, output = Client(plan, clock=CLOCK), OperationFile(path)
            offered = _Offer(plan, client, output, clock=CLOCK, t0_ns=CLOCK.now_ns())
            running = asyncio.create_task(offered.run(lines))
            lines.feed_data(b'{"something": "else"}\n')
            lines.feed_data(b'{"stop": true}\n')
            await asyncio.wait_for(running, timeout=5.0)
            client.close()
            output.close()

    asyncio.run(main())

    note = json.loads(path.read_text().splitlines()[-1])["value"]
    assert note["planned"] == 60_000
    assert note["offered"] == note["ended"] < 60_000


def test_stall_of_the_load_process_is_a_sample_of_its_lag(tmp_path: Path):
    async def stalling(peer: Peer) -> None:
        await peer.request()
        give_up_ns = CLOCK.now_ns() + 60_000_000
        while CLOCK.now_ns() < give_up_ns:  # the server shares this loop: both stand still
            pass
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await answer_all(peer)

    found = offer(stalling, tmp_path / "load.ndjson")

    lags = [record for record in found if isinstance(record, LagSample)]
    assert max(lag.lag_ns for lag in lags) >= 40_000_000  # a tick lay at most 20 ms in the stall
    assert {lag.service for lag in lags} == {"load"}


def test_warm_up_connects_to_services_and_sends_them_nothing():
    async def main() -> tuple[int, int]:
        async with serving(answer_all) as served:
            load = planned_load(served.port)
            client = Client(LoadPlan(loads=(load,), arrivals=()), clock=CLOCK)
            await warm_up(client, clock=CLOCK)
            await asyncio.sleep(0.01)  # the server has to accept
            client.close()
            return served.connections, len(served.heads)

    assert asyncio.run(main()) == (2, 0)


def test_warm_up_opens_no_connection_for_a_fresh_load():
    async def main() -> int:
        async with serving(answer_all) as served:
            load = planned_load(served.port, reuse=Reuse.FRESH)
            client = Client(LoadPlan(loads=(load,), arrivals=()), clock=CLOCK)
            await warm_up(client, clock=CLOCK)
            await asyncio.sleep(0.01)
            return served.connections

    assert asyncio.run(main()) == 0


def test_tail_waits_for_the_end_of_a_line(tmp_path: Path):
    path = tmp_path / "load.ndjson"
    line = to_json(LoadNote(planned=0, offered=0, ended=0, late=0).to_note(1)).encode() + b"\n"
    tail = OperationTail(path)
    tail.read()
    path.write_bytes(line[:20])
    tail.read()
    before = list(tail.others)

    with path.open("ab") as file:
        file.write(line[20:])
    tail.read()

    assert (before, len(tail.others)) == ([], 1)
