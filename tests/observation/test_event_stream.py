"""Event files become records, and whatever is missing in them becomes a gap."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from harness.model.history import to_json
from harness.model.records import (
    Attempt,
    BreakerTransition,
    ClockRecord,
    EventGap,
    LagSample,
    ProcessRecord,
    ProxyChunk,
    Record,
)
from harness.observation import EventStream, read_events
from tests.observation.event_lines import T0_NS, breaker, line


def read(*lines: bytes) -> list[Record]:
    return read_events(b"".join(lines), name="api.1", t0_ns=T0_NS)


def gaps(*lines: bytes) -> list[EventGap]:
    return [record for record in read(*lines) if isinstance(record, EventGap)]


def test_instants_become_relative_to_the_start_and_lengths_stay():
    attempt = line(
        0,
        "attempt",
        at_ns=5_000,
        link="api -> db",
        call_id="c",
        attempt=1,
        started_ns=T0_NS + 2_000,
        outcome="ok",
        error_class=None,
        status=None,
        backoff_s=0,
    )
    lag = line(1, "lag", at_ns=6_000, lag_ns=12_000_000)

    found = read(attempt, lag)

    assert isinstance(found[0], Attempt)
    assert (found[0].t_ns, found[0].started_ns) == (5_000, 2_000)
    assert found[1] == LagSample(t_ns=6_000, service="api", lag_ns=12_000_000)


def test_event_before_the_start_has_a_negative_time():
    assert read(line(0, at_ns=-7))[0].t_ns == -7


def test_file_without_gaps_has_no_gap():
    assert gaps(line(0), breaker(1, "open"), line(2)) == []


def test_jump_of_the_sequence_is_a_gap_of_what_is_missing():
    found = gaps(line(0), line(4))

    assert [(gap.missing, gap.service, gap.incarnation) for gap in found] == [(3, "api", "1")]
    assert "from 0 to 4" in found[0].detail


def test_missing_start_is_a_gap():
    assert [gap.missing for gap in gaps(line(2))] == [2]


def test_sequence_that_goes_back_is_a_gap():
    found = gaps(line(0), line(1), line(0))

    assert [gap.missing for gap in found] == [1]
    assert "went back" in found[0].detail


def test_torn_last_line_is_a_gap_at_the_last_known_time():
    found = gaps(line(0, at_ns=77), line(1)[:-9])

    assert [(gap.t_ns, gap.missing) for gap in found] == [(77, 1)]
    assert "torn" in found[0].detail


def test_empty_file_is_a_gap():
    assert [gap.missing for gap in gaps()] == [1]


@pytest.mark.parametrize(
    "broken",
    [
        b"{not json}\n",
        b"[]\n",
        b'"text"\n',
        b'{"seq": 1}\n',
        b'{"t_ns": "soon", "seq": 1, "kind": "clock"}\n',
        b'{"t_ns": 1, "seq": 1, "kind": "breaker"}\n',
        b"\xff\xfe\n",
    ],
)
def test_line_that_is_no_event_is_one_gap_and_the_rest_is_read(broken: bytes):
    found = read(line(0), broken, line(2))

    assert [type(record) for record in found] == [ClockRecord, EventGap, ClockRecord]


def test_unknown_kind_is_ignored_and_leaves_no_gap():
    assert [type(record) for record in read(line(0), line(1, "teleport", to="mars"), line(2))] == [
        ClockRecord,
        ClockRecord,
    ]


@pytest.mark.parametrize("kind", ["operation", "phase", "fault", "probe", "note", "gap"])
def test_service_cannot_say_what_only_the_harness_saw(kind: str):
    fields: dict[str, Any] = {
        "name": "seed",
        "value": 1,
        "what": "healed",
        "fault": "f",
        "fault_id": "0",
    }

    assert read(line(0, kind, **fields, target="t", end_ns=1, probe="p", missing=1)) == []


def test_stream_decides_whose_event_it_is():
    found = read_events(line(0), name="batch.7", t0_ns=T0_NS)[0]

    assert isinstance(found, ClockRecord)
    assert (found.service, found.incarnation) == ("batch", "7")


def test_proxy_events_are_read_like_all_others():
    chunk = line(0, "chunk", proxy="api -> db", connection=3, stream="upstream", bytes=9)

    assert isinstance(read(chunk)[0], ProxyChunk)


def test_process_events_are_read():
    assert isinstance(read(line(0, "process", what="ready", pid=4711))[0], ProcessRecord)


def test_not_a_number_becomes_none_so_that_the_history_stays_json():
    raw = line(0, "limiter", name="n", client="c", decision="allowed", tokens=1.0, retry_after_s=0)
    found = read(raw.replace(b'"retry_after_s": 0', b'"retry_after_s": NaN'))[0]

    assert json.loads(to_json(found))["retry_after_s"] is None


def test_stream_that_was_joined_late_expects_no_start():
    stream = EventStream(service="api", incarnation="1", t0_ns=T0_NS, expects_start=False)

    assert [type(record) for record in [*stream.take(line(7)), *stream.take(line(9))]] == [
        ClockRecord,
        EventGap,
        ClockRecord,
    ]


@settings(deadline=None)
@given(st.integers(2, 30).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 2)))))
def test_gaps_name_exactly_as_many_events_as_were_lost(case: tuple[int, set[int]]):
    count, lost = case
    kept = [line(seq) for seq in range(count) if seq not in lost]

    assert sum(gap.missing for gap in gaps(*kept)) == len(lost)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_content_of_a_file_breaks_the_reader(content: bytes):
    found = read_events(content, name="api.1", t0_ns=T0_NS)

    assert all(isinstance(record.t_ns, int) for record in found)


def test_breaker_event_is_a_transition():
    found = read(breaker(0, "open"))[0]

    assert isinstance(found, BreakerTransition)
    assert (found.name, found.from_state, found.to_state) == ("api-db", "closed", "open")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"to_state": "OPEN"}, "to_state: expected one of closed, open, half_open, got 'OPEN'"),
        ({"generation": "1"}, "generation: expected integer, got '1'"),
        ({"generation": True}, "generation: expected integer, got True"),
        ({"link": 3}, "link: expected string or null, got 3"),
    ],
)
def test_event_that_breaks_the_schema_is_a_gap_that_says_how(fields, problem):
    sound = {"name": "b", "link": None, "from_state": "closed", "to_state": "open"}

    [gap] = read(line(0, "breaker", **{**sound, **fields}))

    assert isinstance(gap, EventGap)
    assert problem in gap.detail


def test_event_without_a_required_field_is_a_gap_that_names_it():
    [gap] = read(line(0, "breaker", name="b", link=None, from_state="closed"))

    assert isinstance(gap, EventGap)
    assert "to_state is missing" in gap.detail


def test_number_may_be_whole():
    fields = {"link": "a -> b", "call_id": "c", "attempt": 1, "started_ns": 1, "outcome": "ok"}

    [attempt] = read(line(0, "attempt", **fields, backoff_s=0))

    assert attempt.kind == "attempt"
