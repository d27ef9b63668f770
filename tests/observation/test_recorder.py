"""The recorder: what goes in comes out, in one order, from all sources."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from harness.model.history import read_history, to_json
from harness.model.records import (
    EventGap,
    FaultRecord,
    Note,
    Operation,
    Outcome,
    Phase,
    Probe,
    Record,
)
from harness.observation import Recorder, in_order, read_operations
from tests.observation.event_lines import T0_NS, breaker, line


def operation(t_ns: int, call_id: str = "lookups-000000") -> Operation:
    return Operation(
        t_ns=t_ns,
        started_ns=t_ns + 1,
        end_ns=t_ns + 2,
        load="lookups",
        call_id=call_id,
        client="c-000",
        method="GET",
        target="/",
        outcome=Outcome.OK,
    )


PHASE = Phase(t_ns=0, end_ns=50_000, name="baseline")


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "history.ndjson")


def lines_of(recorder: Recorder) -> list[str]:
    return recorder.path.read_text().splitlines()


def test_first_line_says_the_schema(recorder: Recorder):
    assert json.loads(lines_of(recorder)[0]) == {
        "kind": "note",
        "t_ns": 0,
        "name": "schema_version",
        "value": 1,
    }


def test_record_is_on_disk_at_once_so_that_a_kill_loses_none(recorder: Recorder):
    recorder.record(PHASE)

    assert lines_of(recorder)[1:] == [to_json(PHASE)]
    assert recorder.records[1:] == (PHASE,)


def test_recorder_begins_anew(tmp_path: Path):
    path = tmp_path / "history.ndjson"
    path.write_text("of an earlier run\n")

    assert len(lines_of(Recorder(path))) == 1


def test_collected_history_holds_all_sources_in_order_of_time(recorder: Recorder, tmp_path: Path):
    events, load = tmp_path / "api.1.ndjson", tmp_path / "load.ndjson"
    events.write_bytes(line(0, at_ns=-5) + breaker(1, "open"))
    load.write_text(to_json(operation(2_000)) + "\n" + to_json(operation(500)) + "\n")
    recorder.record(
        FaultRecord(t_ns=1_500, fault_id="0:down", fault="down", target="t", what="healed")
    )
    recorder.record(PHASE)

    found = recorder.collect({"api.1": events}, t0_ns=T0_NS, load_file=load)

    assert [(record.kind, record.t_ns) for record in found] == [
        ("note", 0),
        ("clock", -5),
        ("phase", 0),
        ("operation", 500),
        ("breaker", 1_000),
        ("fault", 1_500),
        ("operation", 2_000),
    ]


def test_file_says_what_collect_returned(recorder: Recorder, tmp_path: Path):
    events = tmp_path / "api.1.ndjson"
    events.write_bytes(line(0) + breaker(1, "open") + line(5))
    recorder.record(Probe(t_ns=9, probe="health", status=200, values={"tasks.open": 0}))

    found = recorder.collect({"api.1": events}, t0_ns=T0_NS)

    assert lines_of(recorder) == [to_json(record) for record in found]
    assert sorted(map(to_json, read_history(lines_of(recorder)))) == sorted(map(to_json, found))


def test_collecting_twice_gives_the_same_history(recorder: Recorder, tmp_path: Path):
    events = tmp_path / "api.1.ndjson"
    events.write_bytes(line(0) + line(1))
    first = recorder.collect({"api.1": events}, t0_ns=T0_NS)
    written = lines_of(recorder)

    second = recorder.collect({"api.1": events}, t0_ns=T0_NS)

    assert (second, lines_of(recorder)) == (first, written)


def test_order_of_the_files_is_immaterial(tmp_path: Path):
    files = {}
    for name in ("api.1", "api.2", "batch.1"):
        files[name] = tmp_path / f"{name}.ndjson"
        files[name].write_bytes(line(0) + line(1))

    first = Recorder(tmp_path / "a").collect(files, t0_ns=T0_NS)
    second = Recorder(tmp_path / "b").collect(dict(reversed(files.items())), t0_ns=T0_NS)

    assert first == second


def test_file_that_cannot_be_read_is_a_gap(recorder: Recorder, tmp_path: Path):
    missing = tmp_path / "api.1.ndjson"

    found = recorder.collect({"api.1": missing}, t0_ns=T0_NS, load_file=tmp_path / "load.ndjson")

    gaps = [record for record in found if isinstance(record, EventGap)]
    assert sorted(gap.service for gap in gaps) == ["api", "load"]
    assert all("could not be read" in gap.detail for gap in gaps)


def test_torn_load_file_is_a_gap_and_keeps_all_before():
    content = to_json(operation(5)).encode() + b'\n{"kind":"operation","t_ns":'

    found = read_operations(content)

    assert found[0] == operation(5)
    assert isinstance(found[1], EventGap)
    assert (found[1].service, found[1].t_ns) == ("load", 5)


records: st.SearchStrategy[Record] = st.one_of(
    st.builds(operation, st.integers(-5, 5), st.sampled_from(["a", "b"])),
    st.builds(
        Note,
        t_ns=st.integers(-5, 5),
        name=st.sampled_from(["seed", "load"]),
        value=st.integers() | st.text() | st.none(),
    ),
    st.builds(
        Probe,
        t_ns=st.integers(-5, 5),
        probe=st.just("p"),
        status=st.none() | st.just(200),
        values=st.dictionaries(st.text(max_size=3), st.booleans() | st.text(max_size=3)),
    ),
)


@settings(deadline=None)
@given(st.lists(records, max_size=12).flatmap(lambda r: st.tuples(st.just(r), st.permutations(r))))
def test_order_does_not_depend_on_who_came_first(case: tuple[list[Record], list[Record]]):
    first, second = case

    assert in_order(first) == in_order(second)


@settings(deadline=None)
@given(st.lists(records, max_size=12))
def test_history_survives_its_way_through_the_file(found: list[Record]):
    ordered, lines = in_order(found)

    assert list(read_history(lines)) == ordered
