"""Sums per stretch of time, and the axes that they are drawn on."""

import pytest
from hypothesis import given, strategies as st

from harness.model.records import NS_PER_S, Operation
from harness.reporting.axes import LatencyAxis, TimeAxis, latency_range
from harness.reporting.series import bins_of, quantile, width_for


def latency_axis(values, top, height):
    low_s, high_s = latency_range(values)
    return LatencyAxis(low_s=low_s, high_s=high_s, top=top, height=height)


def operation(t_s, latency_s, outcome="OK"):
    return Operation(
        t_ns=round(t_s * NS_PER_S),
        started_ns=round(t_s * NS_PER_S),
        end_ns=round((t_s + latency_s) * NS_PER_S),
        load="a",
        call_id="c",
        client="x",
        method="GET",
        target="/",
        outcome=outcome,
    )


def test_bins_count_outcomes_where_operations_were_meant_to_start():
    operations = [operation(0.2, 3.0, "FAILED"), operation(1.0, 0.1), operation(1.9, 1, "UNKNOWN")]

    first, second = bins_of(operations, end_s=2.0, width_s=1.0)

    assert (first.total, first.failed) == (1, 1)
    assert (second.total, second.unknown, second.failed) == (2, 1, 0)


def test_quantiles_leave_rejected_operations_out():
    operations = [operation(0.1, 0.5), *(operation(0.2, 0.001, "REJECTED") for _ in range(9))]

    (only,) = bins_of(operations, end_s=1.0, width_s=1.0)

    assert only.p50_s == pytest.approx(0.5)
    assert only.not_ok_ratio == 0.9


def test_bin_without_answers_has_no_quantiles():
    (only,) = bins_of([operation(0.1, 0.001, "REJECTED")], end_s=1.0, width_s=1.0)

    assert only.p50_s is None
    assert only.p99_s is None


@given(st.lists(st.floats(0.0, 59.9), max_size=50), st.sampled_from([0.5, 1.0, 2.0]))
def test_no_operation_is_lost_between_bins(starts, width_s):
    operations = [operation(t_s, 0.01) for t_s in sorted(starts)]

    bins = bins_of(operations, end_s=60.0, width_s=width_s)

    assert sum(item.total for item in bins) == len(starts)


@given(st.lists(st.floats(1e-4, 1e3), min_size=1, max_size=200))
def test_median_is_at_most_p99_and_both_are_measured_values(values):
    ordered = sorted(values)

    assert quantile(ordered, 0.5) <= quantile(ordered, 0.99) <= ordered[-1]
    assert quantile(ordered, 0.99) in values


def test_quantile_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="at least one value"):
        quantile([], 0.5)


@given(st.floats(0.5, 7200.0))
def test_width_keeps_the_number_of_bins_readable(duration_s):
    assert duration_s / width_for(duration_s) <= 80.001


@given(st.floats(0.1, 7200.0))
def test_time_axis_has_few_ticks_and_starts_at_zero(end_s):
    ticks = TimeAxis(end_s=end_s, left=0, width=100).ticks()

    assert ticks[0] == 0
    assert 1 <= len(ticks) <= 13
    assert ticks[-1] <= end_s * 1.000001


@given(st.lists(st.floats(1e-3, 60.0), min_size=1, max_size=30))
def test_latency_axis_holds_its_data_and_labels_at_least_two_lines(values):
    axis = latency_axis(values, top=0, height=100)

    assert axis.low_s <= min(values) * 1.001
    assert axis.high_s >= max(values) * 0.999
    assert len(axis.ticks()) >= 2
    assert all(0 <= axis.y(value) <= 100 for value in values)


@given(st.floats(1e-3, 10.0), st.floats(1.0, 10.0))
def test_latency_axis_draws_slower_higher(latency_s, factor):
    axis = latency_axis([1e-3, 100.0], top=0, height=300)

    assert axis.y(latency_s * factor) <= axis.y(latency_s)
