"""What reports keep of a history: the same again after saving, bounded, never of another run."""

import dataclasses
import json

from hypothesis import given, strategies as st

from harness.model.finding import Finding
from harness.model.history import History
from harness.model.verdict import Verdict
from harness.reporting.digest import DIGEST_FILE, Digest, digest_for, digest_of, write_digest
from harness.reporting.exchanges import SAMPLE_MAX, around_worst, sample_of
from harness.reporting.phase_events import PhaseEvents
from harness.reporting.plain_json import frozen, thawed
from harness.reporting.spoken import spoken_timeline
from harness.reporting.timeline import timeline_of
from tests.reporting.sample_runs import FINDINGS, ns, sample_records, sample_run


def operations(found):
    return History(found).operations()


def test_digest_is_the_same_after_it_was_saved(digest):
    saved = json.loads(json.dumps(thawed(digest)))

    assert frozen(Digest, saved) == digest


@given(
    st.builds(
        PhaseEvents,
        name=st.text(),
        start_ns=st.integers(),
        end_ns=st.integers(),
        events=st.lists(st.tuples(st.integers(), st.text())).map(tuple),
        left_out=st.integers(),
    )
)
def test_values_come_back_from_json_as_they_were(value):
    assert frozen(PhaseEvents, json.loads(json.dumps(thawed(value)))) == value


def test_keys_of_a_newer_version_are_dropped(digest):
    saved = {**thawed(digest), "invented_later": 1}

    assert frozen(Digest, saved) == digest


def test_saved_digest_spares_reading_the_history(failed, history, tmp_path):
    run = dataclasses.replace(
        failed, settings=dataclasses.replace(failed.settings, folder=tmp_path), history_path=None
    )
    written = write_digest(run, history)

    assert digest_for(run) == written


def test_digest_of_another_run_or_another_verdict_is_made_anew(history, tmp_path):
    run = sample_run(tmp_path)
    write_digest(run, history)
    other = dataclasses.replace(run, verdict=Verdict.PASSED, findings=FINDINGS[:1])

    assert digest_for(other).timeline.verdict is Verdict.PASSED


def test_damaged_digest_is_made_anew(tmp_path, digest):
    run = sample_run(tmp_path)
    (tmp_path / DIGEST_FILE).write_text('{"schema": 1, "key"')

    assert digest_for(run) == digest


def test_run_without_history_has_no_digest(failed, tmp_path):
    run = dataclasses.replace(
        failed, settings=dataclasses.replace(failed.settings, folder=tmp_path), history_path=None
    )

    assert digest_for(run) is None


def test_size_of_a_digest_does_not_follow_the_number_of_operations(failed):
    few = len(json.dumps(thawed(digest_of(failed, History(sample_records(40.0))))))
    many = len(json.dumps(thawed(digest_of(failed, History(sample_records(400.0))))))

    assert many < 4 * few


def test_worst_case_stands_in_the_middle_of_its_neighbours(history):
    around = around_worst(history.operations(), FINDINGS, {})

    assert [item.is_worst for item in around] == [False, False, True, False, False]
    assert abs(around[2].t_ns - ns(49.1)) < ns(0.1)
    assert [item.t_ns for item in around] == sorted(item.t_ns for item in around)


def test_worst_case_at_the_edge_still_has_five(history):
    found = history.operations()
    at_end = Finding(check="c", verdict=Verdict.FAILED, expected="e", got="g", at_ns=ns(1e6))

    around = around_worst(found, [at_end], {})

    assert [item.call_id for item in around] == [op.call_id for op in found[-5:]]
    assert around[-1].is_worst


def test_no_worst_case_without_a_finding_that_says_when(history):
    passed = dataclasses.replace(FINDINGS[1], verdict=Verdict.PASSED)

    assert around_worst(history.operations(), [passed], {}) == ()
    assert around_worst([], FINDINGS, {}) == ()


def test_sample_is_bounded_ordered_and_half_of_what_went_wrong(history):
    sample = sample_of(history.operations(), {})

    assert len(sample) == SAMPLE_MAX
    assert sum(item.outcome != "OK" for item in sample) == SAMPLE_MAX // 2
    assert [item.t_ns for item in sample] == sorted(item.t_ns for item in sample)


def test_sample_of_few_operations_is_all_of_them(history):
    found = history.operations()[:7]

    assert [item.call_id for item in sample_of(found, {})] == [op.call_id for op in found]


def test_attempts_are_counted_per_call(failed):
    digest = digest_of(failed, History(sample_records()))

    assert {item.attempts for item in digest.sample} == {0, 1}


def test_spoken_timeline_names_the_worst_stretch_and_the_breakers(failed, history):
    told = spoken_timeline(timeline_of(failed, history))

    assert "at worst 100 % not ok, at 20 s" in told
    assert "1 of 1 breaker moved" in told


def test_spoken_timeline_of_nothing_says_so(failed):
    told = spoken_timeline(timeline_of(failed, History([])))

    assert "no phase; operations: none" in told
