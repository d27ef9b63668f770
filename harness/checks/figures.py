"""The named figures of a run, for tables and trends."""

import math
from collections.abc import Iterator

from harness.checks.attempts import count_attempts, received_calls
from harness.checks.percentiles import answer_latency_s, nearest_rank
from harness.checks.recovery import recovery_of
from harness.checks.recovery_time import RecoveryTime
from harness.checks.steady import steady_loads
from harness.model.history import History
from harness.model.records import (
    NS_PER_S,
    BreakerTransition,
    FaultRecord,
    Operation,
    Outcome,
    Source,
)
from harness.model.scenario import Scenario


def figures_of(history: History, scenario: Scenario) -> dict[str, float]:
    """Return what the run measured; a figure that it did not measure is left out.

    Keys: `recovery_time_s` (the slowest load), `time_to_detect_s` (first fault to the
    first breaker that opened), `amplification_max` (attempts at an upstream for one call),
    `success_ratio_<phase>`, `latency_p50_s`, `latency_p99_s`, `dispatch_late_p99_s`,
    `operations`.
    """
    found = dict(_ratios(history))
    recovery_s = _recovery_s(history, scenario)
    detect_s = _detect_s(history)
    amplification = _amplification(history, scenario)
    operations = history.of(Operation)
    late_s = nearest_rank(((op.started_ns - op.t_ns) / NS_PER_S for op in operations), 0.99)
    latencies = [answer_latency_s(op) for op in operations]
    optional = {
        "recovery_time_s": recovery_s,
        "time_to_detect_s": detect_s,
        "amplification_max": amplification,
        "latency_p50_s": nearest_rank(latencies, 0.50),
        "latency_p99_s": nearest_rank(latencies, 0.99),
        "dispatch_late_p99_s": late_s,
    }
    found |= {
        name: value
        for name, value in optional.items()
        if value is not None and math.isfinite(value)
    }
    found["operations"] = float(len(operations))
    return found


def _ratios(history: History) -> Iterator[tuple[str, float]]:
    for name in ("baseline", "fault", "settle"):
        window = history.phase(name)
        operations = [] if window is None else history.operations(window=window)
        if operations:
            good = sum(op.outcome == Outcome.OK for op in operations)
            yield f"success_ratio_{name}", good / len(operations)


def _recovery_s(history: History, scenario: Scenario) -> float | None:
    """Return the time of the slowest load; None without a heal, or if one did not recover.

    The loads, and where their good answers come from, are those of the `recovery_time` checks;
    without any, those of the steady state.
    """
    asked = [(c.load, c.source) for c in scenario.checks if isinstance(c, RecoveryTime)]
    loads = asked or [(load, Source.PRIMARY.value) for load in steady_loads(scenario)]
    times = [recovery_of(history, load, scenario.steady_state, source)[0] for load, source in loads]
    known = [time_s for time_s in times if time_s is not None]
    return max(known) if known and len(known) == len(times) else None


def _detect_s(history: History) -> float | None:
    applied = [record.t_ns for record in history.of(FaultRecord) if record.what == "applied"]
    opened = [
        move.t_ns
        for move in history.of(BreakerTransition)
        if move.to_state == "open" and applied and move.t_ns >= applied[0]
    ]
    return (opened[0] - applied[0]) / NS_PER_S if opened else None


def _amplification(history: History, scenario: Scenario) -> float | None:
    servers = {spec.link.server for spec in scenario.system.links}
    calls = [c for server in sorted(servers) for c in received_calls(history, server).values()]
    return float(max(map(count_attempts, calls))) if calls else None
