"""What the picture of a run shows, before it is drawn."""

import dataclasses

import pytest

from harness.model.history import History, Window
from harness.model.records import (
    NS_PER_S,
    Attempt,
    FaultRecord,
    Phase,
    ProcessRecord,
    ProxyState,
    ReceivedRequest,
    ToxicEffect,
)
from harness.model.system import Link
from harness.model.verdict import Verdict
from harness.reporting.breaker_lanes import Lane, Segment, lanes_of, shown_of
from harness.reporting.cloud import Group
from harness.reporting.first_effect import first_effect_ns
from harness.reporting.timeline import timeline_of
from tests.reporting.sample_runs import DB, FINDINGS, sample_records, sample_scenario


def test_faults_are_in_force_from_read_back_to_heal_and_say_when_they_were_seen(failed, history):
    (fault,) = timeline_of(failed, history).faults

    assert fault.label == "down: api -> db"
    assert (fault.start_s, fault.end_s, fault.effect_s) == (20.01, 35.02, 20.6)


def test_recovery_starts_at_the_heal_and_shows_limit_and_failure(failed, history):
    recovery = timeline_of(failed, history).recovery

    assert recovery is not None
    assert recovery.label == "recovered in 14.9 s (limit 10 s) ✗"
    assert recovery.steady_s == pytest.approx(35.02 + 14.9)
    assert recovery.is_ok is False


def test_recovery_that_never_came_says_so(failed, history):
    finding = dataclasses.replace(FINDINGS[1], value=None)
    result = dataclasses.replace(failed, findings=(finding,))

    recovery = timeline_of(result, history).recovery

    assert recovery is not None
    assert recovery.steady_s is None
    assert recovery.label == "NOT recovered (limit 10 s) ✗"


def test_recovery_that_could_not_be_judged_has_no_mark(failed, history):
    finding = dataclasses.replace(FINDINGS[1], verdict=Verdict.INCONCLUSIVE)
    result = dataclasses.replace(failed, findings=(finding,))

    recovery = timeline_of(result, history).recovery

    assert recovery is not None
    assert recovery.is_ok is None
    assert recovery.label == "recovered in 14.9 s (limit 10 s)"


def test_run_without_a_fault_has_no_recovery(failed):
    records = [record for record in sample_records() if not isinstance(record, FaultRecord)]

    assert timeline_of(failed, History(records)).recovery is None


def test_answers_of_a_fallback_and_of_a_retry_are_told_apart(failed):
    operations = [record for record in sample_records() if record.kind == "operation"][:3]
    operations[0] = dataclasses.replace(operations[0], source="stale_cache")
    operations[1] = dataclasses.replace(operations[1], source="primary")
    about = {"service": "api", "incarnation": "1", "seq": 1, "link": "api -> db"}
    retried = Attempt(
        t_ns=5, call_id=operations[1].call_id, attempt=2, started_ns=1, outcome="ok", **about
    )

    counts = timeline_of(failed, History([*operations, retried])).cloud.counts

    assert counts == {Group.OK: 1, Group.OK_RETRIED: 1, Group.OK_FALLBACK: 1}


def test_empty_history_has_an_axis_and_nothing_on_it(failed):
    timeline = timeline_of(failed, History([]))

    assert timeline.end_s > 0
    assert timeline.cloud.columns == {}


def test_breaker_of_the_broken_link_comes_first_and_its_states_join_without_gaps(history):
    lane, *_ = lanes_of(sample_scenario(), history, 60.0)

    assert lane.label == "api -> db"
    states = [segment.state for segment in lane.segments]
    assert states == ["closed", "open", "half_open", "open", "half_open", "closed"]
    ends = [segment.end_s for segment in lane.segments]
    assert [segment.start_s for segment in lane.segments] == [0.0, *ends[:-1]]
    assert ends[-1] == 60.0


def test_breaker_is_gone_while_its_process_is(history):
    crash = ProcessRecord(t_ns=50 * NS_PER_S, service="api", incarnation="1", what="crashed")
    back = ProcessRecord(t_ns=52 * NS_PER_S, service="api", incarnation="2", what="ready")

    lane, *_ = lanes_of(sample_scenario(), History([*history, crash, back]), 60.0)

    assert [segment.state for segment in lane.segments[-3:]] == ["closed", "gone", "closed"]


def test_breaker_that_never_moved_is_closed_only_if_its_service_speaks():
    phase = Phase(t_ns=0, end_ns=NS_PER_S, name="baseline")
    ready = ProcessRecord(t_ns=-1, service="api", incarnation="1", what="ready")

    silent = lanes_of(sample_scenario(), History([phase]), 1.0)
    speaking = lanes_of(sample_scenario(), History([phase, ready]), 1.0)

    assert silent == ()
    assert [segment.state for segment in speaking[0].segments] == ["closed"]


WINDOW = Window(start_ns=10 * NS_PER_S, end_ns=20 * NS_PER_S)
ABOUT = {"service": "api", "incarnation": "1", "seq": 1}


@pytest.mark.parametrize(
    ("record", "target"),
    [
        (
            ToxicEffect(t_ns=12, proxy="api-db", toxic="t", connection=1, stream="x", what="y"),
            "link",
        ),
        (ProxyState(t_ns=12, proxy="api-db", enabled=False, connections_cut=2), "link"),
        (
            Attempt(
                t_ns=12,
                link="api -> db",
                call_id="c",
                attempt=1,
                started_ns=1,
                outcome="failed",
                **ABOUT,
            ),
            "link",
        ),
        (ProcessRecord(t_ns=12, service="api", incarnation="1", what="crashed"), "api"),
        (
            ReceivedRequest(
                t_ns=12,
                call_id="c",
                attempt=1,
                method="GET",
                path="/",
                started_ns=1,
                scripted="s",
                **ABOUT,
            ),
            "api",
        ),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_first_effect_is_the_first_record_that_shows_the_fault(record, target):
    record = dataclasses.replace(record, t_ns=12 * NS_PER_S)
    later = dataclasses.replace(record, t_ns=13 * NS_PER_S)
    before = dataclasses.replace(record, t_ns=2 * NS_PER_S)

    seen = first_effect_ns(
        History([later, record, before]),
        "0:x",
        "api -> db" if target == "link" else target,
        WINDOW,
    )

    assert seen == 12 * NS_PER_S


def test_effect_that_came_before_the_read_back_counts_from_there():
    cut = ProxyState(t_ns=WINDOW.start_ns - 1000, proxy="api-db", enabled=False, connections_cut=1)

    assert first_effect_ns(History([cut]), "0:down", "api -> db", WINDOW) == WINDOW.start_ns


def test_fault_that_touched_nothing_has_no_effect():
    other = ProxyState(t_ns=WINDOW.start_ns, proxy="api-x", enabled=False, connections_cut=1)

    assert first_effect_ns(History([other]), "0:down", "api -> db", WINDOW) is None


def lane(label, *states):
    return Lane(
        label=label,
        segments=tuple(
            Segment(state=state, start_s=float(i), end_s=i + 1.0) for i, state in enumerate(states)
        ),
    )


def test_every_breaker_that_moved_is_shown_and_calm_ones_only_as_company():
    calm = [lane(f"calm{i}", "closed") for i in range(9)]
    moved = [lane(f"moved{i}", "closed", "open") for i in range(6)]

    shown, left_out = shown_of([*moved, *calm])

    assert [item.label for item in shown] == [item.label for item in moved]
    assert left_out == 9


def test_few_calm_breakers_are_shown_and_the_others_counted():
    shown, left_out = shown_of([lane(f"calm{i}", "closed") for i in range(9)])

    assert len(shown) == 4
    assert left_out == 5


def test_breaker_of_several_links_is_called_by_its_name(history):
    scenario = sample_scenario()
    breaker = dataclasses.replace(
        scenario.system.breakers[0], name="all", links=(DB, Link("api", "cache"))
    )
    system = dataclasses.replace(scenario.system, breakers=(breaker,))

    lanes = lanes_of(dataclasses.replace(scenario, system=system), history, 60.0)

    assert [item.label for item in lanes] == ["api -> db", "all"]
