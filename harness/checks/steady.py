"""Whether a load looks as it does when the system is healthy."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.checks.percentiles import answer_latency_s, nearest_rank
from harness.checks.probe_value import as_text
from harness.model.records import NS_PER_S, Operation, Outcome, Probe
from harness.model.scenario import Load, ProbeCondition, Scenario, SteadyState

_P95 = 0.95
_ROUNDING = 1e-9  # 0.99 * 100 is not 99 in binary


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyAnswer:
    """Whether the steady state holds, and what that rests on.

    Args:
        is_steady: Whether everything that was asked for holds.
        reason: Why it does not; empty if it does.
        samples: Operations looked at.
        success_ratio: Share of them that was OK; None of none.
        latency_p95_s: 95th percentile, infinite if operations went without an answer.
    """

    is_steady: bool
    reason: str
    samples: int
    success_ratio: float | None = None
    latency_p95_s: float | None = None


def is_steady(operations: Iterable[Operation], steady_state: SteadyState) -> SteadyAnswer:
    """Compare operations with the steady state, figure by figure and without statistics.

    A gate has to be plain: what it lets through is the measure for all that follows. The
    caller chooses the stretch, and passes the operations of the loads that count.
    """
    judged = list(operations)
    n = len(judged)
    ratio = sum(op.outcome == Outcome.OK for op in judged) / n if n else None
    latency_s = nearest_rank(map(answer_latency_s, judged), _P95)
    reason = _why_not(n, ratio, latency_s, steady_state)
    return SteadyAnswer(
        is_steady=not reason,
        reason=reason,
        samples=n,
        success_ratio=ratio,
        latency_p95_s=latency_s,
    )


def steady_loads(scenario: Scenario) -> tuple[str, ...]:
    """Return the loads that the steady state is about: all that run from start to end, or named."""
    if scenario.steady_state.loads:
        return scenario.steady_state.loads
    return tuple(
        load.name
        for load in scenario.loads
        if load.start_s == 0.0 and load.duration_s is None and load.count is None
    )


def settled(
    operations: Sequence[Operation],
    probes: Sequence[Probe],
    scenario: Scenario,
    *,
    since_ns: int,
    until_ns: int,
) -> SteadyAnswer:
    """Say whether the system has been steady for the whole hold that ends at an instant.

    Cheap enough to be asked several times a second. A slow load needs a longer stretch than the
    hold to show enough operations; it is taken backwards, never beyond `since_ns`. Loads that
    have ended by then are not waited for; without any other, the conditions alone decide.

    Args:
        operations: Those seen so far, in any order.
        probes: Answers seen so far, in any order.
        scenario: As it is run.
        since_ns: Start of the settle phase.
        until_ns: All operations intended before this instant have ended.
    """
    hold_ns = round(scenario.settle.hold_s * NS_PER_S)
    if until_ns - hold_ns < since_ns:
        held_s = max(0, until_ns - since_ns) / NS_PER_S
        return SteadyAnswer(
            is_steady=False,
            reason=f"{held_s:.1f} s of the {scenario.settle.hold_s:g} s that it has to hold",
            samples=0,
        )
    names = [
        load.name
        for load in scenario.loads
        if load.name in steady_loads(scenario) and _end_s(load) > since_ns / NS_PER_S
    ]
    inside = [op for op in operations if op.load in names and since_ns <= op.t_ns < until_ns]
    inside.sort(key=lambda op: op.t_ns)
    in_hold = sum(op.t_ns >= until_ns - hold_ns for op in inside)
    shown = inside[-max(in_hold, scenario.steady_state.needed) :]
    answer = is_steady(shown, scenario.steady_state)
    if names and not answer.is_steady:
        return answer
    unmet = [why for item in scenario.settle.until if (why := _unmet(item, probes, since_ns))]
    return SteadyAnswer(
        is_steady=not unmet,
        reason="; ".join(unmet),
        samples=answer.samples,
        success_ratio=answer.success_ratio,
        latency_p95_s=answer.latency_p95_s,
    )


def _end_s(load: Load) -> float:
    """Return when a load ends by itself; never, if it lasts as long as the run."""
    ends_s = [math.inf]
    if load.duration_s is not None:
        ends_s.append(load.start_s + load.duration_s)
    if load.count is not None:
        ends_s.append(load.start_s + load.count / load.rate_per_s)
    return min(ends_s)


def _why_not(n: int, ratio: float | None, latency_s: float | None, wanted: SteadyState) -> str:
    if n < wanted.needed or ratio is None or latency_s is None:
        return f"only {n} of the {wanted.needed} operations that it needs"
    if ratio < wanted.success_ratio - _ROUNDING:
        return f"success ratio {ratio:.2%} is below {wanted.success_ratio:.2%}"
    if wanted.latency_p95_s is not None and latency_s > wanted.latency_p95_s:
        return f"p95 of latency {latency_s:.3f} s is above {wanted.latency_p95_s:g} s"
    return ""


def _unmet(condition: ProbeCondition, probes: Sequence[Probe], since_ns: int) -> str:
    """Return why a condition does not hold; empty if it does."""
    answers = [
        probe for probe in probes if probe.probe == condition.probe and probe.t_ns >= since_ns
    ]
    if not answers:
        return f"probe {condition.probe} has not answered yet"
    newest = max(answers, key=lambda probe: probe.t_ns)
    if condition.value not in newest.values:
        return f"the answer of probe {condition.probe} has no {condition.value}"
    value = newest.values[condition.value]
    if as_text(value) == as_text(condition.equals):
        return ""
    return f"{condition.probe}: {condition.value} is {value!r}, not {condition.equals!r}"
