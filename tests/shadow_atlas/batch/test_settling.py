"""What becomes of a task, for everything that can happen to it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from resilience import BulkheadFull, CircuitOpen, RetryExhausted
from shadow_atlas.batch.extraction import Extraction, Source
from shadow_atlas.batch.settings import QueueSettings
from shadow_atlas.batch.settling import (
    pause_s,
    settle_failure,
    settle_killer,
    settle_rejection,
    settle_return,
    settle_success,
)
from shadow_atlas.batch.tasks import Claim, JobState, JobStatus, TaskStatus
from shadow_atlas.errors import status_error
from shadow_atlas.portal_queries.catalogue import Layer
from shadow_atlas.portal_queries.geojson import Boundaries
from shadow_atlas.portal_queries.malformed import MalformedAnswer

QUEUE = QueueSettings()
CLAIM = Claim(
    job_id=1,
    state="WI",
    layer=Layer.COUNTY,
    status=TaskStatus.RUNNING,
    claim=9,
    attempts=0,
    refreshes=0,
    lost_claims=0,
    age_s=1.0,
)
REFRESH = replace(CLAIM, status=TaskStatus.DEGRADED)
EXHAUSTED = RetryExhausted(TimeoutError("slow"), ())


def _extraction(source: Source) -> Extraction:
    return Extraction(
        state="WI",
        layer=Layer.COUNTY,
        source=source,
        portal="portal_wi",
        boundaries=Boundaries(text="{}", feature_count=1, sha256="0"),
        attempts=1,
    )


def test_an_answer_of_the_portal_is_done():
    settlement = settle_success(_extraction(Source.PRIMARY))

    assert (settlement.status, settlement.what) == (TaskStatus.DONE, "finished")
    assert settlement.due_in_s is None


@pytest.mark.parametrize("source", [Source.DEGRADED, Source.STALE_CACHE])
def test_a_fallback_is_never_done(source):
    with pytest.raises(ValueError, match="never done"):
        settle_success(_extraction(source))


@pytest.mark.parametrize("source", [Source.DEGRADED, Source.STALE_CACHE])
def test_a_fallback_is_degraded_and_refreshed_later(source):
    settlement = settle_failure(CLAIM, EXHAUSTED, _extraction(source), queue=QUEUE)

    assert settlement.status is TaskStatus.DEGRADED
    assert settlement.due_in_s == QUEUE.refresh_initial_s
    assert settlement.extraction is not None


@pytest.mark.parametrize(
    "error", [CircuitOpen("portal", 30.0), BulkheadFull("stack"), CircuitOpen("portal", 0.0)]
)
@pytest.mark.parametrize("claim", [CLAIM, REFRESH])
def test_a_local_rejection_spends_nothing_and_comes_back(error, claim):
    settlement = settle_rejection(claim, error, queue=QUEUE)

    assert (settlement.attempts_spent, settlement.refreshes_spent) == (0, 0)
    assert settlement.what == "requeued"
    assert settlement.due_in_s is not None
    assert settlement.due_in_s >= max(QUEUE.poll_s, error.retry_after_s or 0.0)


def test_a_task_that_was_only_ever_rejected_is_failed_in_the_end():
    settlement = settle_rejection(
        replace(CLAIM, age_s=QUEUE.age_max_s), CircuitOpen("portal", 30.0), queue=QUEUE
    )

    assert settlement.status is TaskStatus.FAILED
    assert "too old" in (settlement.reason or "")


def test_a_refresh_that_was_only_ever_rejected_stands_in_the_end():
    settlement = settle_rejection(
        replace(REFRESH, age_s=QUEUE.age_max_s), CircuitOpen("portal", 30.0), queue=QUEUE
    )

    assert (settlement.status, settlement.due_in_s) == (TaskStatus.DEGRADED, None)


@pytest.mark.parametrize("error", [MalformedAnswer("no"), status_error("gone", status=404)])
def test_a_permanent_error_fails_at_once(error):
    settlement = settle_failure(CLAIM, error, None, queue=QUEUE)

    assert (settlement.status, settlement.due_in_s) == (TaskStatus.FAILED, None)
    assert str(error) in (settlement.reason or "")


@pytest.mark.parametrize("error", [EXHAUSTED, status_error("broken", status=500), OSError("x")])
def test_other_errors_are_repeated_until_the_attempts_are_used_up(error):
    statuses = [
        settle_failure(replace(CLAIM, attempts=spent), error, None, queue=QUEUE).status
        for spent in range(QUEUE.attempts_max)
    ]

    assert statuses == [TaskStatus.QUEUED] * (QUEUE.attempts_max - 1) + [TaskStatus.FAILED]


def test_a_refresh_keeps_its_result_however_it_ends():
    for error in (EXHAUSTED, MalformedAnswer("no"), CircuitOpen("portal", 1.0)):
        settlement = settle_failure(REFRESH, error, None, queue=QUEUE)

        assert settlement.status is TaskStatus.DEGRADED
        assert settlement.extraction is None


def test_a_refresh_takes_a_newer_fallback_and_no_older_one():
    newer = settle_failure(REFRESH, EXHAUSTED, _extraction(Source.DEGRADED), queue=QUEUE)
    older = settle_failure(REFRESH, EXHAUSTED, _extraction(Source.STALE_CACHE), queue=QUEUE)

    assert newer.extraction is not None
    assert older.extraction is None


def test_refreshes_end():
    last = replace(REFRESH, refreshes=QUEUE.refreshes_max - 1)

    assert settle_failure(last, EXHAUSTED, None, queue=QUEUE).due_in_s is None


def test_a_permanent_error_ends_the_refreshes():
    assert settle_failure(REFRESH, MalformedAnswer("no"), None, queue=QUEUE).due_in_s is None


def test_a_task_given_back_is_due_at_once_and_spends_nothing():
    settlement = settle_return(CLAIM)

    assert (settlement.status, settlement.due_in_s) == (TaskStatus.QUEUED, 0.0)
    assert settlement.attempts_spent == 0


def test_what_kills_workers_is_given_up():
    assert settle_killer(replace(CLAIM, lost_claims=5)).status is TaskStatus.FAILED
    assert settle_killer(replace(REFRESH, lost_claims=5)).status is TaskStatus.DEGRADED


@given(failures=st.integers(min_value=0, max_value=10_000))
def test_a_pause_grows_and_never_exceeds_its_maximum(failures):
    pause = pause_s(failures, 5.0, 300.0)

    assert 5.0 <= pause <= pause_s(failures + 1, 5.0, 300.0) <= 300.0


statuses = st.sampled_from([TaskStatus.QUEUED, TaskStatus.RUNNING, TaskStatus.DEGRADED])
errors = st.sampled_from(
    [EXHAUSTED, MalformedAnswer("no"), CircuitOpen("p", 9.0), BulkheadFull("b"), OSError("x")]
)
fallbacks = st.sampled_from(
    [None, *(_extraction(s) for s in (Source.DEGRADED, Source.STALE_CACHE))]
)


@given(
    status=statuses,
    attempts=st.integers(min_value=0, max_value=20),
    refreshes=st.integers(min_value=0, max_value=20),
    error=errors,
    fallback=fallbacks,
)
def test_no_failure_makes_a_task_done_or_leaves_it_claimed(
    status, attempts, refreshes, error, fallback
):
    claim = replace(CLAIM, status=status, attempts=attempts, refreshes=refreshes)

    settlement = settle_failure(claim, error, fallback, queue=QUEUE)

    assert settlement.status not in {TaskStatus.DONE, TaskStatus.RUNNING}
    is_waiting = settlement.due_in_s is not None
    assert is_waiting or settlement.status in {TaskStatus.FAILED, TaskStatus.DEGRADED}


@pytest.mark.parametrize(
    ("counts", "pending", "state"),
    [
        ({TaskStatus.QUEUED: 1, TaskStatus.DONE: 9}, 1, JobState.RUNNING),
        ({TaskStatus.RUNNING: 1}, 1, JobState.RUNNING),
        ({TaskStatus.DEGRADED: 1, TaskStatus.DONE: 1}, 1, JobState.USABLE),
        ({TaskStatus.DEGRADED: 1, TaskStatus.FAILED: 1}, 0, JobState.COMPLETE),
        ({TaskStatus.SKIPPED: 2}, 0, JobState.COMPLETE),
    ],
)
def test_a_job_is_complete_when_nothing_is_left_to_do(counts, pending, state):
    assert JobStatus(counts=counts, pending=pending).state is state


@pytest.mark.parametrize(
    "changes", [{"poll_s": 0.0}, {"attempts_max": 0}, {"lease_s": float("inf")}]
)
def test_queue_settings_refuse_what_cannot_work(changes: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(changes))):
        QueueSettings(**changes)


def test_a_heartbeat_must_fit_three_times_into_its_lease():
    with pytest.raises(ValueError, match="heartbeat_s"):
        QueueSettings(lease_s=9.0, heartbeat_s=4.0)


def test_scaling_multiplies_times_and_leaves_counts():
    scaled = QUEUE.scaled(0.1)

    assert scaled.lease_s == pytest.approx(QUEUE.lease_s / 10)
    assert scaled.attempts_max == QUEUE.attempts_max
