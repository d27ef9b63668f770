"""Compare two runs of one scenario: worse, better, the same within noise, or nobody can tell.

Shares are compared with Fisher's exact test, times by intervals that are as wide as chance, the
machine and the breaker's phase can make them. A difference that is not sure is none.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.checks.percentiles import nearest_rank
from harness.checks.recovery import recovery_of
from harness.checks.recovery_time import RecoveryTime
from harness.checks.statistics import tail_high
from harness.checks.steady import steady_loads
from harness.model.history import History
from harness.model.records import NS_PER_S, LagSample, Operation, Outcome, Source
from harness.model.run import RunResult
from harness.model.verdict import Verdict

ALARM = 1e-4  # per figure and direction: of a thousand comparisons of equal runs, one errs
DROP_RATIO = (
    0.20  # "the same" rules out a drop by this, which a minute of a few per second can show
)
_MISS = 1e-2  # and errs in that this often at most
_SAMPLES_MIN = 20  # with fewer, one lost packet decides
_RELEVANT_RATIO = 0.10  # slower by less is not worth an alarm on any machine
_SIGMAS = 3.9  # two-sided 1e-4
_BLOCKS = 20  # of which the spread of slow operations is taken: they come in bursts
_ARRIVALS = 3.0  # gaps between arrivals: the resolution of a recovery time at a random load
VERDICT = "verdict"  # the measure of the row that compares verdicts
_PHASES = ("baseline", "fault", "settle")
_QUANTILES = (("p50", 0.50), ("p95", 0.95))


class Change(StrEnum):
    """What became of a figure from one run to the next; the members stand worst first."""

    WORSE = "worse"
    UNKNOWN = "cannot tell"
    BETTER = "better"
    SAME = "same within noise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of two runs, side by side.

    Args:
        measure: What was measured.
        before: Its value in the first run, for people.
        after: Its value in the second one.
        change: What became of it.
        reason: What the answer rests on, or what it lacks.
    """

    measure: str
    before: str
    after: str
    change: Change
    reason: str = ""


def compare(before: RunResult, after: RunResult) -> list[Row]:
    """Return all figures of two judged runs of one scenario side by side.

    Raises:
        ValueError: If a run has no history, or they ran at different time scales.
    """
    first, second = before.history, after.history
    if first is None or second is None:
        raise ValueError("a run without a history cannot be compared")
    if before.settings.time_scale != after.settings.time_scale:
        scales = f"{before.settings.time_scale:g} and {after.settings.time_scale:g}"
        raise ValueError(f"runs at time scales {scales} cannot be compared")
    rows = [_verdicts(before.verdict, after.verdict)]
    for load in before.scenario.loads:
        for phase in _PHASES:
            old, new = _operations(first, load.name, phase), _operations(second, load.name, phase)
            if old or new:
                rows.append(compare_ratios(f"success ratio ({load.name}, {phase})", old, new))
                slack_s = max(_late_s(first), _late_s(second))
                rows += compare_latencies(f"({load.name}, {phase})", old, new, slack_s=slack_s)
    return rows + list(_recoveries(before, after))


def _operations(history: History, load: str, phase: str) -> list[Operation]:
    window = history.phase(phase)
    return [] if window is None else history.operations(load, window)


def _late_s(history: History) -> float:
    """Return how late operations were dispatched, 99th percentile: the machine's own delay."""
    late = ((op.started_ns - op.t_ns) / NS_PER_S for op in history.of(Operation))
    return nearest_rank(late, 0.99) or 0.0


def _verdicts(before: Verdict, after: Verdict) -> Row:
    decided = {Verdict.PASSED, Verdict.FAILED}
    change, reason = Change.SAME, ""
    if not {before, after} <= decided:
        change, reason = Change.UNKNOWN, "a run that decided nothing is nothing to compare with"
    elif before is not after:
        change = Change.WORSE if after is Verdict.FAILED else Change.BETTER
    return Row(measure=VERDICT, before=before, after=after, change=change, reason=reason)


def compare_ratios(measure: str, before: Sequence[Operation], after: Sequence[Operation]) -> Row:
    """Compare shares of operations that were OK by Fisher's exact test.

    Source: Fisher, "The Logic of Inductive Inference", J. R. Stat. Soc. 98 (1935) 39.
    """
    old, new = (sum(op.outcome == Outcome.OK for op in ops) for ops in (before, after))
    change, reason = _ratio_change((old, len(before)), (new, len(after)))
    told = (f"{k} of {len(ops)}" for k, ops in ((old, before), (new, after)))
    return Row(measure=measure, before=next(told), after=next(told), change=change, reason=reason)


def _ratio_change(before: tuple[int, int], after: tuple[int, int]) -> tuple[Change, str]:
    (old, old_n), (new, new_n) = before, after
    if min(old_n, new_n) < _SAMPLES_MIN:
        return Change.UNKNOWN, f"fewer than {_SAMPLES_MIN} operations"
    low, high = fisher_tails(before, after)
    if low <= ALARM:
        return Change.WORSE, f"chance explains so few in {low:.0e} of runs"
    if high <= ALARM:
        return Change.BETTER, f"chance explains so many in {high:.0e} of runs"
    weak = old / old_n - DROP_RATIO
    if weak > 0.0 and tail_high(new, new_n, weak) > _MISS:
        return Change.UNKNOWN, f"too few operations to rule out a drop by {DROP_RATIO:.0%}"
    return Change.SAME, ""


def fisher_tails(before: tuple[int, int], after: tuple[int, int]) -> tuple[float, float]:
    """Return how likely at most, and at least, so many good ones after are if nothing changed.

    Args:
        before: Number of good ones and of all.
        after: The same.

    >>> [round(tail, 4) for tail in fisher_tails((3, 4), (1, 4))]
    [0.2429, 0.9857]
    """
    (old, old_n), (new, new_n) = before, after
    good, total = old + new, old_n + new_n
    lowest, highest = max(0, good - old_n), min(good, new_n)
    logs = [
        _log_ways(new_n, k) + _log_ways(old_n, good - k) - _log_ways(total, good)
        for k in range(lowest, highest + 1)
    ]
    each = [math.exp(value) for value in logs]
    return min(1.0, sum(each[: new - lowest + 1])), min(1.0, sum(each[new - lowest :]))


def _log_ways(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def compare_latencies(
    what: str, before: Sequence[Operation], after: Sequence[Operation], *, slack_s: float
) -> list[Row]:
    """Compare the median, and the 95th percentile where there are enough operations for it.

    Args:
        what: What is compared, in brackets.
        before: Operations of the first run, by intended start.
        after: Operations of the second one.
        slack_s: How much the machine alone may delay an answer.
    """
    old, new = _answered(before), _answered(after)
    rows = []
    for name, share in _QUANTILES:
        first, second = quantile_interval(old, share), quantile_interval(new, share)
        if name != "p50" and (first is None or second is None):
            continue
        change, reason = _latency_change(first, second, slack_s)
        told = [_told(nearest_rank(each, share)) for each in (old, new)]
        row = Row(
            measure=f"latency {name} {what}",
            before=told[0],
            after=told[1],
            change=change,
            reason=reason,
        )
        rows.append(row)
    return rows


def _answered(operations: Sequence[Operation]) -> list[float]:
    """Return the latencies of answers; a refusal takes no time and would look like a gain."""
    return [
        op.latency_s
        for op in operations
        if op.status is not None and op.outcome != Outcome.REJECTED
    ]


def quantile_interval(latencies: Sequence[float], share: float) -> tuple[float, float] | None:
    """Return the interval for a quantile by ranks, wider where slow ones come in bursts.

    None if there are too few to bound it on both sides.

    Args:
        latencies: In the order in which they were offered, seconds.
        share: The quantile, in (0, 1).

    Source: Conover, "Practical Nonparametric Statistics" (1999), section 3.2, with the variance
    multiplied by the dispersion of the count of slow ones among blocks of neighbours.
    """
    n = len(latencies)
    if n < _SAMPLES_MIN:
        return None
    ordered = sorted(latencies)
    spread = _SIGMAS * math.sqrt(n * share * (1 - share) * _dispersion(latencies, share))
    low, high = math.floor(n * share - spread), math.ceil(n * share + spread)
    return (ordered[low - 1], ordered[high - 1]) if low >= 1 and high <= n else None


def _dispersion(latencies: Sequence[float], share: float) -> float:
    """Return by how much more the count of slow ones varies between blocks than by chance."""
    limit_s = nearest_rank(latencies, share) or 0.0
    size = max(1, len(latencies) // _BLOCKS)
    blocks = [latencies[i : i + size] for i in range(0, len(latencies) - size + 1, size)]
    counts = [sum(latency_s > limit_s for latency_s in block) for block in blocks]
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / max(1, len(counts) - 1)
    return max(1.0, variance / (size * share * (1 - share)))


def _latency_change(
    before: tuple[float, float] | None, after: tuple[float, float] | None, slack_s: float
) -> tuple[Change, str]:
    if before is None or after is None:
        return Change.UNKNOWN, "too few answers to bound it"
    told = (
        f"between {before[0]:.3f} and {before[1]:.3f} s, then {after[0]:.3f} and {after[1]:.3f} s"
    )
    if after[0] > before[1] * (1 + _RELEVANT_RATIO) + slack_s:
        return Change.WORSE, told
    if before[0] > after[1] * (1 + _RELEVANT_RATIO) + slack_s:
        return Change.BETTER, told
    return Change.SAME, told


def _recoveries(before: RunResult, after: RunResult) -> Iterator[Row]:
    scenario = before.scenario
    checks = [check for check in scenario.checks if isinstance(check, RecoveryTime)]
    asked = [(check.load, check.source) for check in checks]
    asked = asked or [(load, Source.PRIMARY.value) for load in steady_loads(scenario)]
    for load, source in asked if scenario.timeline else ():
        steady = scenario.steady_state
        old, new = (
            recovery_of(run.history or History(()), load, steady, source) for run in (before, after)
        )
        rate = next((one.rate_per_s for one in scenario.loads if one.name == load), 1.0)
        slack_s = _phase_s(before) + _ARRIVALS / rate + max(_stall_s(before), _stall_s(after))
        change, reason = recovery_change(old, new, slack_s)
        yield Row(
            measure=f"recovery ({load})", before=old[1], after=new[1], change=change, reason=reason
        )


def _phase_s(run: RunResult) -> float:
    """Return the longest open time: how much of it is left at the heal is chance."""
    reached = run.scenario.services()
    times = [b.open_duration_s for b in run.scenario.system.breakers if b.service in reached]
    return max(times, default=0.0) * run.settings.time_scale


def _stall_s(run: RunResult) -> float:
    lags = () if run.history is None else run.history.of(LagSample)
    return max((sample.lag_ns / NS_PER_S for sample in lags), default=0.0)


def recovery_change(
    before: tuple[float | None, str], after: tuple[float | None, str], slack_s: float
) -> tuple[Change, str]:
    """Compare recovery times, each with its words; None stands for one that never came.

    Args:
        before: Of the first run.
        after: Of the second one.
        slack_s: By how much two runs of one system differ by chance.
    """
    (old_s, old_told), (new_s, new_told) = before, after
    seen = ["not recovered" in told or time_s is not None for time_s, told in (before, after)]
    if not all(seen):
        return Change.UNKNOWN, f"{old_told}; {new_told}"
    if old_s is None or new_s is None:
        changes = {(False, True): Change.WORSE, (True, False): Change.BETTER}
        return changes.get((old_s is None, new_s is None), Change.SAME), "never came back"
    reason = f"chance may make {slack_s:.2f} s of difference"
    if abs(new_s - old_s) <= slack_s:
        return Change.SAME, reason
    return (Change.WORSE if new_s > old_s else Change.BETTER), reason


def _told(value_s: float | None) -> str:
    return "none" if value_s is None else f"{value_s * 1000:.1f} ms"
