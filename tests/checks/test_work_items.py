import dataclasses

import pytest

from harness.checks.work_items import WorkItems
from harness.model.verdict import Verdict
from tests.checks.histories import ask, clocks, gap, item, phases, probe

CHECK = WorkItems(service="batch")
KEY = "j1:WI:county"


def steps(*whats, key=KEY, start=30.0):
    return [item(start + i, key, what) for i, what in enumerate(whats)]


def judged(*parts, check=CHECK):
    return ask(check, phases(), clocks("batch"), *parts)


def test_lost_work_fails():
    found = judged(steps("accepted", "started"), steps("accepted", "finished", key="j1:NE:county"))

    assert found.verdict is Verdict.FAILED
    assert found.witnesses == ("j1:WI:county is lost, last seen started (at 31.000 s)",)


def test_work_that_ends_once_passes():
    found = judged(steps("accepted", "started", "requeued", "started", "finished"))

    assert found.verdict is Verdict.PASSED
    assert found.samples == 1


def test_without_accepted_work_nothing_is_decided():
    found = judged()

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (0, 1)


def test_work_done_twice_over_two_incarnations_fails():
    again = item(50, KEY, "finished", incarnation="2")

    found = judged(steps("accepted", "started", "finished"), again)

    assert found.verdict is Verdict.FAILED
    assert "was finished 2 times, by incarnation 1 or incarnation 2" in found.witnesses[0]


def test_an_end_that_is_not_allowed_fails():
    ended = steps("accepted", "started", "failed")
    lenient = dataclasses.replace(CHECK, ends=("finished", "failed"))

    assert judged(ended).verdict is Verdict.FAILED
    assert judged(ended, check=lenient).verdict is Verdict.PASSED


def test_work_still_in_progress_when_the_run_ended_decides_nothing():
    found = judged(steps("accepted", "started", start=104.0))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "still open at the end of the run" in found.witnesses[0]


def test_missing_events_cannot_prove_a_loss_but_a_double_end_stays():
    assert judged(steps("accepted"), gap("batch")).verdict is Verdict.INCONCLUSIVE
    twice = steps("accepted", "finished", "finished")
    assert judged(twice, gap("batch")).verdict is Verdict.FAILED


def test_work_that_takes_longer_than_allowed_fails():
    check = dataclasses.replace(CHECK, within_s=1.5)
    lost = dataclasses.replace(CHECK, within_s=60.0)

    assert judged(steps("accepted", "finished"), check=check).verdict is Verdict.PASSED
    assert judged(steps("accepted", "started", "finished"), check=check).verdict is Verdict.FAILED
    assert judged(steps("accepted", "started", start=104.0), check=check).verdict is Verdict.FAILED
    assert judged(steps("accepted", start=60.0), check=lost).verdict is Verdict.INCONCLUSIVE


def test_degraded_work_has_to_be_refreshed_from_the_primary_if_asked():
    check = dataclasses.replace(CHECK, refreshed=True)
    degraded = steps("accepted", "started", "degraded")
    refreshed = [*degraded, item(90, KEY, "finished", source="primary")]
    from_elsewhere = [*degraded, item(90, KEY, "finished", source="degraded")]

    assert judged(degraded).verdict is Verdict.PASSED
    assert judged(degraded, check=check).verdict is Verdict.FAILED
    assert judged(refreshed, check=check).verdict is Verdict.PASSED
    assert judged(from_elsewhere, check=check).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [([3, 0], "PASSED"), ([0, 1], "FAILED"), ([], "INCONCLUSIVE")],
)
def test_the_last_answer_of_the_probe_has_to_agree(answers, verdict):
    check = dataclasses.replace(CHECK, probe="jobs")
    read = [probe(100.0 + i, name="jobs", tasks__open=n) for i, n in enumerate(answers)]

    assert judged(steps("accepted", "finished"), read, check=check).verdict == verdict


def test_a_service_without_events_decides_nothing():
    assert ask(CHECK, phases()).verdict is Verdict.INCONCLUSIVE


def test_work_that_may_not_end_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one of finished, failed or skipped"):
        WorkItems(service="batch", ends=())


def test_keys_that_were_accepted_before_the_record_began_are_no_samples():
    found = judged(steps("started", "finished"))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.samples == 0
