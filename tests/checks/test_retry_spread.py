import pytest

from harness.checks.retry_spread import RetrySpread
from harness.model.verdict import Verdict
from tests.checks.histories import (
    BATCH_WI,
    SCRIPTED,
    ask,
    clocks,
    gap,
    phases,
    received,
    stall,
)

CHECK = RetrySpread(link=BATCH_WI, at_most=5, within_s=1.0, samples=8)


def back(i, at, *, turned_away=30.0, **more):
    """Return a call that was answered 503 and came again."""
    return [
        received(turned_away, f"c{i}", status=503, took=0.0, scripted="script"),
        received(at, f"c{i}", number=2, **more),
    ]


def herd(*, over, n=8, start=50.0, **more):
    """Return `n` calls that are turned away at 30 s and come back evenly over so many seconds."""
    return [one for i in range(n) for one in back(i, start + i * over / n, **more)]


def judged(*parts, check=CHECK):
    return ask(check, phases(), clocks("batch", "portal_wi"), *parts, timeline=(SCRIPTED,))


def test_a_herd_that_comes_back_spread_out_passes():
    found = judged(herd(over=2.0))

    assert found.verdict is Verdict.PASSED
    assert (found.value, found.samples) == (5.0, 8)  # 50.0 to 51.0, both ends included


def test_a_herd_that_comes_back_as_one_fails_and_its_calls_are_named():
    found = judged(herd(over=0.08))

    assert found.verdict is Verdict.FAILED
    assert found.value == 8.0
    assert found.at_ns == 50_000_000_000
    assert found.got == "8 repeated requests began within 0.070 s from 50.000 s on"
    assert found.witnesses[:2] == (
        "c0 at 50.000 s: asked again",
        "c1 at 50.010 s: asked again",
    )


def test_a_stretch_counts_wherever_it_begins():
    early, late = herd(over=8.0), [one for i in range(20, 26) for one in back(i, 70.9 + i / 100)]

    assert judged(early).verdict is Verdict.PASSED
    assert judged(early, late).at_ns == 71_100_000_000


def test_a_small_herd_decides_nothing():
    found = judged(herd(over=2.0, n=7))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (7, 8)


def test_calls_that_were_turned_away_one_by_one_decide_nothing():
    calls = [one for i in range(20) for one in back(i, 50.0 + i, turned_away=25.0 + i)]

    found = judged(calls)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "only 2 calls were turned away within 1 s"


def test_who_was_turned_away_before_the_server_saw_it_counts_as_one_of_the_herd():
    unseen = [received(50.0 + i / 4, f"c{i}", number=2) for i in range(8)]
    together = [received(50.0, f"c{i}", number=2) for i in range(8)]

    assert judged(unseen).verdict is Verdict.PASSED
    assert judged(together).verdict is Verdict.FAILED


def test_first_requests_and_pages_are_no_repeats():
    crowd = [received(60.0, f"new{i}") for i in range(20)]
    pages = [received(50.0 + i / 100, "c0", number=2) for i in range(9)]

    assert judged(herd(over=2.0), pages, crowd).verdict is Verdict.PASSED


def test_a_client_that_repeats_without_counting_is_counted():
    secret = [
        received(at, f"c{i}", status=status)
        for i in range(8)
        for at, status in ((30.0, 503), (50.0, 200))
    ]

    assert judged(secret).verdict is Verdict.FAILED


def test_requests_of_another_server_do_not_count():
    elsewhere = herd(over=0.08, server="portal_co")

    assert judged(elsewhere).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("lag", "verdict"), [(0.4, "INCONCLUSIVE"), (0.3, "FAILED")])
@pytest.mark.parametrize("service", ["batch", "harness"])
def test_a_stall_excuses_as_many_as_it_held_up(lag, verdict, service):
    at_its_end = stall(50.0, lag, service)

    found = judged(herd(over=0.08), at_its_end)

    assert found.verdict == verdict  # 5 x (1 + 1.5 x 0.4) = 8
    assert found.is_noisy == (verdict == "INCONCLUSIVE")


def test_a_stall_between_two_parts_of_a_crowd_excuses_it():
    parts = [one for i in range(8) for one in back(i, 50.0 if i < 3 else 50.6)]

    assert judged(parts).verdict is Verdict.FAILED
    assert judged(parts, stall(50.6, 0.5, "batch")).verdict is Verdict.INCONCLUSIVE


def test_a_stall_in_which_the_crowd_comes_is_its_own_doing():
    crowd = herd(over=0.5, n=9)

    assert judged(crowd, stall(50.45, 0.45, "batch")).verdict is Verdict.FAILED


def test_a_stall_long_before_a_crowd_excuses_nothing():
    assert judged(herd(over=0.08), stall(48.9, 5.0, "batch")).verdict is Verdict.FAILED


def test_a_record_with_a_gap_proves_no_spread_but_still_a_crowd():
    assert judged(herd(over=2.0), gap("portal_wi")).verdict is Verdict.INCONCLUSIVE
    assert judged(herd(over=0.08), gap("portal_wi")).verdict is Verdict.FAILED


def test_a_bound_that_all_samples_together_would_meet_is_refused():
    with pytest.raises(ValueError, match="samples: expected more than at_most, which is 5, got 5"):
        RetrySpread(link=BATCH_WI, at_most=5, within_s=1.0, samples=5)
