"""Live events of foreign services: offsets of clocks, cuts and gaps."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness.clock import SystemClock
from harness.model.records import BreakerTransition, ClockRecord, EventGap, Note, Record
from harness.model.system import EventSource, Service, System
from harness.observation import (
    ClockOffset,
    ClockReading,
    HttpEvents,
    LiveBreakers,
    estimate_offset,
    following,
    following_services,
    http_events,
)
from tests.observation.raw_server import Handler, head, serving


def event(seq: int, t_ns: int, kind: str = "clock", incarnation: str = "1") -> bytes:
    fields: dict[str, dict[str, Any]] = {
        "clock": {"schema": 1, "wall_unix_ns": 0},
        "breaker": {"name": "b", "link": None, "from_state": "closed", "to_state": "open"},
    }
    envelope = {"t_ns": t_ns, "seq": seq, "service": "x", "incarnation": incarnation, "kind": kind}
    return json.dumps({**envelope, **fields[kind]}).encode() + b"\n"


def follow(handler: Handler, *, lines: int) -> HttpEvents:
    """Follow a server until so many lines have arrived."""

    async def main() -> HttpEvents:
        async with (
            serving(handler) as address,
            following("foreign", address, clock=SystemClock()) as events,
            asyncio.timeout(10.0),
        ):
            while len(events) < lines:  # noqa: ASYNC110 -- the lines come from a socket
                await asyncio.sleep(0.005)
        return events

    return asyncio.run(main())


def streaming(*, ahead_ns: int = 0, incarnations: tuple[str, ...] = ("1",)) -> Handler:
    """Return a service whose clock is ahead; each connection meets the next incarnation."""
    clock = SystemClock()

    async def handler(number: int, writer: asyncio.StreamWriter) -> None:
        if number >= len(incarnations):
            await asyncio.Event().wait()
        writer.write(head())
        for seq, kind in ((3, "clock"), (4, "breaker"), (6, "clock")):
            writer.write(event(seq, clock.now_ns() + ahead_ns, kind, incarnations[number]))

    return handler


def test_events_of_this_hosts_clock_are_taken_as_they_are():
    t0_ns = SystemClock().now_ns()

    events = follow(streaming(), lines=3)

    found = events.records(t0_ns=t0_ns)
    assert events.offset() == ClockOffset(offset_ns=0, uncertainty_ns=0)
    assert isinstance(found[0], ClockRecord)
    assert 0 <= found[0].t_ns <= SystemClock().now_ns() - t0_ns


def test_breakers_are_followed_while_the_stream_goes_on():
    opened = LiveBreakers().not_closed({}, [follow(streaming(), lines=3)])

    assert opened == ("b open",)


def test_new_incarnation_of_a_stream_forgets_the_breakers_of_the_one_before():
    clock = SystemClock()

    async def handler(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(head())
        said = ((1, "clock", "1"), (2, "breaker", "1"), (0, "clock", "2"))
        for seq, kind, incarnation in said:
            writer.write(event(seq, clock.now_ns(), kind, incarnation))
        await asyncio.Event().wait()

    assert LiveBreakers().not_closed({}, [follow(handler, lines=3)]) == ()


def test_foreign_clock_is_put_on_ours_and_the_offset_is_noted():
    t0_ns = SystemClock().now_ns()
    ahead_ns = 3600 * 1_000_000_000

    events = follow(streaming(ahead_ns=ahead_ns, incarnations=("1",) * 5), lines=3)

    found = events.records(t0_ns=t0_ns)
    offset = events.offset()
    assert offset is not None
    assert abs(offset.offset_ns + ahead_ns) <= offset.uncertainty_ns
    transition = next(record for record in found if isinstance(record, BreakerTransition))
    assert transition.t_ns + offset.uncertainty_ns >= 0
    note = next(r for r in found if isinstance(r, Note) and r.name == "clock_offset")
    assert note.value["offset_s"] == pytest.approx(-3600.0, abs=1.0)


def test_jump_of_the_sequence_is_a_gap_but_a_late_start_is_none():
    found = follow(streaming(), lines=3).records(t0_ns=0)

    assert [gap.missing for gap in found if isinstance(gap, EventGap)] == [1]


def test_new_incarnation_is_a_gap_since_the_last_words_of_the_old_one_may_be_lost(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(http_events, "RECONNECT_S", 0.01)

    found = follow(streaming(incarnations=("1", "2")), lines=6).records(t0_ns=0)

    details = [gap.detail for gap in found if isinstance(gap, EventGap)]
    assert any("its process ended" in detail for detail in details)
    assert any("from -1 to 3" in detail for detail in details)  # what it said before we were back


def test_end_of_a_stream_is_noted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_events, "RECONNECT_S", 0.01)

    found = follow(streaming(incarnations=("1", "1")), lines=6).records(t0_ns=0)

    cuts = [note for note in found if isinstance(note, Note) and note.name == "events_cut"]
    assert cuts[0].value == {"service": "foreign", "why": "the stream ended"}


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error"])
def test_service_without_events_is_noted_and_not_hammered(status: str):
    async def main() -> tuple[int, list[Record]]:
        connections = 0
        is_asked = asyncio.Event()

        async def handler(_number: int, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            writer.write(head(status))
            is_asked.set()

        async with (
            serving(handler) as address,
            following("foreign", address, clock=SystemClock()) as events,
        ):
            await asyncio.wait_for(is_asked.wait(), timeout=10.0)
            await asyncio.sleep(0.2)
            return connections, events.records(t0_ns=0)

    connections, found = asyncio.run(main())

    assert 1 <= connections <= 3  # one at once, then at most one each 0.1 s
    assert isinstance(found[0], Note)
    assert status[:3] in found[0].value["why"]


offsets_ns = st.integers(-(10**15), 10**15)
delays_ns = st.lists(
    st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)), min_size=1, max_size=8
)


@given(offsets_ns, delays_ns)
def test_true_offset_is_within_the_uncertainty(offset_ns: int, delays: list[tuple[int, int]]):
    readings = [
        ClockReading(
            asked_ns=at_ns, foreign_ns=at_ns + there - offset_ns, received_ns=at_ns + there + back
        )
        for at_ns, (there, back) in enumerate(delays, start=10**12)
    ]

    found = estimate_offset(readings)

    is_own_clock = found == ClockOffset(offset_ns=0, uncertainty_ns=0)
    assert is_own_clock or abs(found.offset_ns - offset_ns) <= found.uncertainty_ns + 1
    assert not is_own_clock or abs(offset_ns) <= 2 * 10**8  # zero was among what they allow


def test_every_reading_narrows_what_is_left():
    slow_there = ClockReading(asked_ns=1_000, foreign_ns=57_995, received_ns=8_001)
    slow_back = ClockReading(asked_ns=20_000, foreign_ns=69_996, received_ns=30_000)

    alone = [estimate_offset([reading]).uncertainty_ns for reading in (slow_there, slow_back)]
    both = estimate_offset([slow_there, slow_back])

    assert alone == [3_501, 5_000]
    assert both == ClockOffset(offset_ns=-49_995, uncertainty_ns=1)


def test_reading_that_was_sent_stale_widens_the_uncertainty():
    stale = ClockReading(asked_ns=1_000, foreign_ns=100, received_ns=1_010)
    fresh = ClockReading(asked_ns=None, foreign_ns=1_500, received_ns=2_000)

    assert estimate_offset([stale, fresh]) == ClockOffset(offset_ns=500, uncertainty_ns=400)


def test_readings_that_nobody_asked_for_allow_no_estimate():
    with pytest.raises(ValueError, match="asked for"):
        estimate_offset([ClockReading(asked_ns=None, foreign_ns=1, received_ns=2)])


def followed(handler: Handler) -> list[Record]:
    """Follow a service for an instant, to its last word."""

    async def main() -> list[Record]:
        service = Service(name="foreign", events=EventSource.HTTP)
        silent = Service(name="silent")
        async with serving(handler) as address:
            addresses = {"foreign": address, "silent": "127.0.0.1:1"}
            system = System(name="pair", path=Path("x"), services=(service, silent))
            async with following_services(system, addresses, clock=SystemClock()) as streams:
                pass
            return [record for stream in streams for record in stream.records(t0_ns=0)]

    return asyncio.run(main())


def test_everything_said_before_the_end_is_awaited():
    clock = SystemClock()

    async def handler(_number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + event(0, clock.now_ns()))
        await writer.drain()
        await asyncio.sleep(0.2)  # the run has ended by now; what is still on its way counts
        writer.write(event(1, clock.now_ns(), "breaker") + event(2, clock.now_ns()))
        await writer.drain()
        await asyncio.Event().wait()

    found = followed(handler)

    assert [record.kind for record in found] == ["clock", "breaker", "clock", "note"]


def test_stream_that_ends_before_the_run_does_is_a_gap(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_events, "COMPLETE_WITHIN_S", 0.3)

    found = followed(streaming(incarnations=("1",)))

    details = [gap.detail for gap in found if isinstance(gap, EventGap)]
    assert details[-1] == "no clock record came after the end of the run; the stream ended"


def test_service_without_a_stream_is_a_gap_that_says_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_events, "COMPLETE_WITHIN_S", 0.3)

    async def handler(_number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(head("404 Not Found"))

    [gap] = [record for record in followed(handler) if isinstance(record, EventGap)]

    assert (gap.service, gap.incarnation) == ("foreign", "unknown")
    assert "404 Not Found" in gap.detail
