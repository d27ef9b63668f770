"""The trip rule against its definition, which remembers everything."""

from hypothesis import given, strategies as st

from resilience import BreakerConfig
from resilience.trip_rule import TripRule

outcomes = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 4.0, 10.0]), st.sampled_from("fffs")), max_size=40
)
thresholds = st.integers(1, 5)


def opens_by_definition(history, config):
    """Say whether the newest outcome of `history`, a failure, has to open the circuit."""
    now_s = history[-1][0]
    window_s = config.monitoring_window_s
    fresh = [kind for time_s, kind in history[:-1] if now_s - time_s < window_s] + ["f"]
    volume = config.volume_threshold or config.failure_threshold
    newest = fresh[-config.failure_threshold :]
    return len(fresh) >= volume and newest == ["f"] * config.failure_threshold


@given(outcomes, thresholds, st.none() | st.integers(1, 8), st.sampled_from([0.0, 5.0, 10.0]))
def test_the_constant_time_rule_is_the_documented_rule(steps, failures, volume, window_s):
    config = BreakerConfig(
        failure_threshold=failures, volume_threshold=volume, monitoring_window_s=window_s
    )
    rule, history, now_s = TripRule(config), [], 0.0
    for pause_s, kind in steps:
        now_s += pause_s
        history.append((now_s, kind))
        if kind == "s":
            rule.add_success(now_s)
        elif rule.add_failure(now_s):
            assert opens_by_definition(history, config)
            rule.clear()
            history.clear()
        else:
            assert not opens_by_definition(history, config)


def test_a_fresh_failure_stops_being_fresh_when_the_window_is_over():
    rule = TripRule(BreakerConfig(monitoring_window_s=10.0))
    rule.add_failure(100.0)

    assert rule.newest_is_fresh_failure(109.9)
    assert not rule.newest_is_fresh_failure(110.0)
