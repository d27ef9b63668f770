"""The newest run against many: most of them decide, and one odd night does not."""

import pytest
from hypothesis import given, strategies as st

from harness.checks.comparison import VERDICT, Change, Row
from harness.checks.trend import against_most, overall

changes = st.sampled_from(Change)


def row(change, measure="recovery (asks)", reason=""):
    return Row(measure=measure, before="1 s", after="2 s", change=change, reason=reason)


def voted(*found):
    [result] = against_most([[row(change)] for change in found])
    return result.change


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([Change.WORSE], Change.WORSE),
        ([Change.WORSE, Change.SAME], Change.SAME),
        ([Change.SAME, Change.SAME, Change.WORSE], Change.SAME),
        ([Change.WORSE, Change.BETTER, Change.WORSE], Change.WORSE),
        ([Change.BETTER, Change.SAME, Change.BETTER], Change.BETTER),
        ([Change.UNKNOWN, Change.UNKNOWN, Change.WORSE], Change.WORSE),
        ([Change.UNKNOWN, Change.UNKNOWN], Change.UNKNOWN),
    ],
)
def test_most_of_the_runs_before_that_can_tell_decide(found, expected):
    assert voted(*found) is expected


@given(changes)
def test_one_run_before_is_compared_as_compare_does(change):
    assert voted(change) is change


@given(st.lists(changes, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_order_of_the_runs_before_is_immaterial(found, random):
    shuffled = random.sample(found, len(found))

    assert voted(*shuffled) is voted(*found)


@given(st.lists(changes, min_size=1, max_size=7), st.data())
def test_one_more_run_that_it_is_worse_than_never_takes_an_alarm_back(found, data):
    index = data.draw(st.integers(0, len(found) - 1))
    turned = [*found[:index], Change.WORSE, *found[index + 1 :]]

    if voted(*found) is Change.WORSE:
        assert voted(*turned) is Change.WORSE


@given(st.integers(1, 6), st.sampled_from([Change.SAME, Change.BETTER, Change.WORSE]), changes)
def test_one_odd_night_never_decides_against_all_others(others, usual, odd):
    found = [*[usual] * (others + 1), odd]

    assert voted(*found) is usual


def test_reason_counts_the_votes_and_keeps_what_the_latest_rests_on():
    found = [(Change.WORSE, "old"), (Change.SAME, ""), (Change.WORSE, "new")]

    [result] = against_most([[row(change, reason=reason)] for change, reason in found])

    assert result.reason == "against 2 of 3 before; new"


def test_figure_that_only_older_runs_had_is_kept_behind_the_newest_ones():
    before = [[row(Change.SAME, "old"), row(Change.SAME, "both")], [row(Change.SAME, "both")]]

    assert [one.measure for one in against_most(before)] == ["both", "old"]


def test_nothing_before_is_no_trend():
    with pytest.raises(ValueError, match="without one before"):
        against_most([])


@pytest.mark.parametrize(
    ("verdict", "figures", "expected"),
    [
        (Change.SAME, [Change.SAME, Change.UNKNOWN], Change.SAME),
        (Change.SAME, [Change.BETTER, Change.UNKNOWN], Change.BETTER),
        (Change.SAME, [Change.WORSE, Change.UNKNOWN], Change.WORSE),
        (Change.WORSE, [], Change.WORSE),
        (Change.UNKNOWN, [Change.WORSE], Change.WORSE),
        (Change.UNKNOWN, [Change.SAME, Change.SAME], Change.UNKNOWN),
        (Change.SAME, [Change.UNKNOWN, Change.UNKNOWN], Change.UNKNOWN),
        (Change.SAME, [], Change.UNKNOWN),
    ],
)
def test_thin_figures_leave_the_answer_to_the_others(verdict, figures, expected):
    rows = [row(verdict, VERDICT), *(row(one, f"figure {i}") for i, one in enumerate(figures))]

    assert overall(rows) is expected
