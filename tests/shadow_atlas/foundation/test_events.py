"""Event records: complete, numbered, one write each, and never in the way of the service."""

import asyncio
import json
import os

import pytest
from hypothesis import given, settings, strategies as st

from shadow_atlas.events import EventFile, EventLog
from tests.shadow_atlas.fake_clock import FakeClock

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats()


def open_log(*, file=None, buffer_bytes=10_000, clock=None):
    return EventLog(
        service="api",
        incarnation="3",
        clock=clock or FakeClock(),
        file=file,
        buffer_bytes=buffer_bytes,
    )


def read(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def all_lines(view):
    return [json.loads(line) async for line in view.lines()]


def test_file_opens_with_a_clock_record(tmp_path):
    path = tmp_path / "new" / "api.3.ndjson"

    open_log(file=EventFile(path)).close()

    assert read(path) == [
        {
            "t_ns": 1_000_000_000_000,
            "seq": 0,
            "service": "api",
            "incarnation": "3",
            "kind": "clock",
            "schema": 1,
            "wall_unix_ns": 1_700_000_000_000_000_000,
        }
    ]


@settings(max_examples=30)
@given(fields=st.lists(st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), SCALARS)))
def test_records_are_numbered_without_gaps_and_keep_the_order_of_the_envelope(
    tmp_path_factory, fields
):
    path = tmp_path_factory.mktemp("events") / "api.3.ndjson"
    log = open_log(file=EventFile(path))

    for each in fields:
        log.emit("attempt", **{f"x_{name}": value for name, value in each.items()})
    log.close()

    records = read(path)
    assert [record["seq"] for record in records] == list(range(len(fields) + 1))
    for record in records:
        assert list(record)[:5] == ["t_ns", "seq", "service", "incarnation", "kind"]


def test_each_event_is_one_write_at_the_end_of_the_file(tmp_path, monkeypatch):
    written = []
    real_write = os.write
    log = open_log(file=EventFile(tmp_path / "api.3.ndjson"))
    monkeypatch.setattr(os, "write", lambda fd, data: written.append(data) or real_write(fd, data))

    log.emit("lag", lag_ns=1)
    log.emit("lag", lag_ns=2)

    assert [data.count(b"\n") for data in written] == [1, 1]
    log.close()


def test_two_writers_of_one_file_do_not_tear_each_others_lines(tmp_path):
    path = tmp_path / "api.3.ndjson"
    first, second = (open_log(file=EventFile(path)) for _ in range(2))

    for number in range(100):
        first.emit("lag", lag_ns=number)
        second.emit("lag", lag_ns=number)
    first.close()
    second.close()

    assert len(read(path)) == 202


def test_infinity_and_nan_are_written_as_null(tmp_path):
    path = tmp_path / "api.3.ndjson"
    log = open_log(file=EventFile(path))

    log.emit("limiter", retry_after_s=float("inf"), tokens=float("nan"))
    log.close()

    assert (read(path)[1]["retry_after_s"], read(path)[1]["tokens"]) == (None, None)


def test_full_disk_costs_the_line_and_leaves_a_gap(tmp_path, monkeypatch):
    path = tmp_path / "api.3.ndjson"
    log = open_log(file=EventFile(path))
    real_write = os.write

    def full(_fd, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    log.emit("lag", lag_ns=1)
    monkeypatch.setattr(os, "write", real_write)
    log.emit("lag", lag_ns=2)
    log.close()

    assert [record["seq"] for record in read(path)] == [0, 2]
    assert log.lost_lines == 1


def test_view_opens_with_a_fresh_clock_record_and_follows():
    log = open_log()
    log.emit("lag", lag_ns=1)

    view = log.follow()
    log.emit("lag", lag_ns=2)
    log.end_views()

    assert [(r["kind"], r["seq"]) for r in asyncio.run(all_lines(view))] == [
        ("clock", 2),
        ("lag", 3),
    ]


def test_slow_reader_is_dropped_while_others_go_on():
    log = open_log(buffer_bytes=600)
    slow = log.follow()

    async def scenario():
        quick = log.follow()
        quick_lines = quick.lines()
        seen = []
        for number in range(20):
            log.emit("lag", lag_ns=number)
            while len(seen) < number + 2:  # its clock record came first
                seen.append(json.loads(await anext(quick_lines)))
        return seen

    seen = asyncio.run(scenario())

    assert [record.get("lag_ns") for record in seen[1:]] == list(range(20))
    assert not slow.is_open
    assert asyncio.run(all_lines(slow)) == []


def test_waiting_reader_gets_a_line_as_soon_as_it_is_emitted():
    log = open_log()

    async def scenario():
        lines = log.follow().lines()
        await anext(lines)
        waiting = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        log.emit("lag", lag_ns=7)
        return json.loads(await asyncio.wait_for(waiting, timeout=5))

    assert asyncio.run(scenario())["lag_ns"] == 7


def test_view_opened_while_stopping_ends_after_its_clock_record():
    log = open_log()
    log.end_views()

    late = log.follow()

    assert [record["kind"] for record in asyncio.run(all_lines(late))] == ["clock"]


def test_closed_log_still_takes_events(tmp_path):
    path = tmp_path / "api.3.ndjson"
    log = open_log(file=EventFile(path))
    log.close()

    log.emit("process", what="stopped", pid=1)

    assert len(read(path)) == 1


def test_partial_write_is_an_error(tmp_path, monkeypatch):
    file = EventFile(tmp_path / "api.3.ndjson")
    monkeypatch.setattr(os, "write", lambda _fd, data: len(data) - 1)

    with pytest.raises(OSError, match="wrote 3 of 4 bytes"):
        file.write(b"abc\n")


def test_reader_that_went_away_is_forgotten():
    log = open_log(buffer_bytes=600)

    async def scenario():
        view = log.follow()
        lines = view.lines()
        await anext(lines)
        await lines.aclose()
        log.emit("lag", lag_ns=1)
        return view

    view = asyncio.run(scenario())

    assert not view.is_open
    assert asyncio.run(all_lines(view)) == []
