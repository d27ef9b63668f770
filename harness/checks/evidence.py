"""The gate before every PASSED: the run has to show that it tested something."""

from collections.abc import Iterator

from harness.checks.effects import effect_of
from harness.checks.percentiles import nearest_rank
from harness.checks.processors import processors_finding
from harness.checks.question import Question, seconds, witness
from harness.checks.stalls import Stalls, stalling_windows, stalls_of
from harness.checks.steady import is_steady, steady_loads
from harness.model.finding import Finding
from harness.model.history import History, Window
from harness.model.records import NS_PER_S, FaultRecord, Operation
from harness.model.scenario import Load, Scenario, TimelineEntry

LATE_MAX_S = 0.01  # p99; a later dispatch is the harness's own stall, and would be read as latency
_ARRIVALS_MIN = 10.0  # so many are expected: Poisson then shows none in 1 of 20,000 phases
_P99 = 0.99


def evidence_findings(history: History, scenario: Scenario) -> tuple[Finding, ...]:
    """Return what the run shows of itself: each finding is PASSED or INCONCLUSIVE.

    The baseline was steady; every fault was applied, had an effect and was healed; the load
    was there in every phase and was dispatched in time; the machine did not stall for longer
    than the breakers' times allow, and left the services their processors.
    """
    return (
        _baseline(history, scenario),
        *_faults(history, scenario),
        _load(history, scenario),
        _dispatch(history),
        *_stall_budget(history, scenario),
        *processors_finding(history),
    )


def _baseline(history: History, scenario: Scenario) -> Finding:
    wanted = scenario.steady_state
    latency = "" if wanted.latency_p95_s is None else f", p95 at most {wanted.latency_p95_s:g} s"
    question = Question(
        check="baseline",
        expected=f"steady before the first fault: {wanted.success_ratio:.2%} OK{latency}",
        needed=wanted.needed,
        limit=wanted.success_ratio,
        unit="ratio",
    )
    window = history.phase("baseline")
    if window is None:
        return question.undecided("the run has no baseline")
    names = steady_loads(scenario)
    if not names:
        return question.passed("every load ends by itself, so none has a steady state")
    operations = [op for op in history.operations(window=window) if op.load in names]
    answer = is_steady(operations, wanted)
    got = f"{answer.samples} operations"
    if answer.success_ratio is not None:
        got += f", {answer.success_ratio:.2%} OK, p95 {answer.latency_p95_s:.3f} s"
    if not answer.is_steady:
        return question.undecided(
            answer.reason, got, samples=answer.samples, value=answer.success_ratio
        )
    return question.passed(got, samples=answer.samples, value=answer.success_ratio)


def _faults(history: History, scenario: Scenario) -> Iterator[Finding]:
    windows = history.fault_windows()
    for index, entry in enumerate(scenario.timeline):
        fault_id = f"{index}:{entry.fault.name}"
        yield _fault(history, scenario, entry, fault_id, windows.get(fault_id))


def _fault(
    history: History,
    scenario: Scenario,
    entry: TimelineEntry,
    fault_id: str,
    window: Window | None,
) -> Finding:
    question = Question(
        check=f"fault_effect({fault_id})",
        expected=f"{entry.fault.name} on {entry.fault.target} is applied, seen to act, and healed",
        needed=1,
    )
    if window is None:
        return question.undecided("it was never applied")
    steps = {record.what for record in history.of(FaultRecord) if record.fault_id == fault_id}
    seen = effect_of(history, scenario, entry, fault_id, window)
    got = f"in force from {seconds(window.start_ns):.3f} s to {seconds(window.end_ns):.3f} s, "
    got += seen.told
    if seen.count == 0:
        return question.undecided(f"no effect was seen: {seen.told}", got)
    if "healed" not in steps:
        return question.undecided("it was not read back as healed", got, samples=seen.count)
    return question.passed(got, samples=seen.count, value=float(seen.count))


def _load(history: History, scenario: Scenario) -> Finding:
    question = Question(check="load", expected="every load is there in every phase that it spans")
    absent = []
    counts = []
    for name in ("baseline", "fault", "settle"):
        window = history.phase(name)
        if window is None:
            if name != "fault" or scenario.timeline:
                absent.append(f"the run did not come to the phase {name}")
            continue
        for load in scenario.loads:
            n = len(history.operations(load.name, window))
            counts.append(n)
            if n == 0 and _expected(load, window) >= _ARRIVALS_MIN:
                absent.append(f"{load.name} sent nothing in {name}")
    if absent:
        return question.undecided("; ".join(absent), witnesses=absent)
    return question.passed(f"{sum(counts)} operations", samples=sum(counts))


def _expected(load: Load, window: Window) -> float:
    """Return how many arrivals of a load are due in a window."""
    ends_s = [window.end_ns / NS_PER_S]
    if load.duration_s is not None:
        ends_s.append(load.start_s + load.duration_s)
    if load.count is not None:
        ends_s.append(load.start_s + load.count / load.rate_per_s)
    start_s = max(load.start_s, window.start_ns / NS_PER_S)
    return max(0.0, min(ends_s) - start_s) * load.rate_per_s


def _dispatch(history: History) -> Finding:
    question = Question(
        check="dispatch",
        expected=f"99 % of operations start within {LATE_MAX_S:g} s of their time",
        limit=LATE_MAX_S,
        unit="s",
    )
    meant = stalling_windows(history)  # burners are meant to delay the harness too
    operations = [
        op for op in history.of(Operation) if not any(op.t_ns in window for window in meant)
    ]
    late_s = nearest_rank(((op.started_ns - op.t_ns) / NS_PER_S for op in operations), _P99)
    if late_s is None:
        return question.undecided("there are no operations")
    got = f"p99 {late_s:.4f} s late over {len(operations)} operations"
    worst = sorted(operations, key=lambda op: op.t_ns - op.started_ns)[:5]
    lines = [
        witness(op.call_id, op.t_ns, f"{(op.started_ns - op.t_ns) / NS_PER_S:.3f} s late")
        for op in worst
    ]
    if late_s > LATE_MAX_S:
        return question.undecided(
            "the load generator was late, so latency would be its own",
            got,
            samples=len(operations),
            value=late_s,
            witnesses=lines,
        )
    return question.passed(got, samples=len(operations), value=late_s)


def _stall_budget(history: History, scenario: Scenario) -> Iterator[Finding]:
    """Yield whether no stall was longer than half the shortest open time that is judged."""
    judged = {getattr(check, "breaker", None) for check in scenario.checks}
    open_s = [b.open_duration_s for b in scenario.system.breakers if b.name in judged]
    if not open_s:
        return
    limit_s = min(open_s) * scenario.time_scale / 2
    question = Question(
        check="stall_budget",
        expected=f"no stall longer than {limit_s:g} s, half the shortest open time that is judged",
        limit=limit_s,
        unit="s",
    )
    stalls: Stalls = stalls_of(history)
    longest_s = stalls.longest_ns / NS_PER_S
    got = f"the longest stall took {longest_s:.3f} s"
    if longest_s > limit_s:
        where = max(stalls.samples, key=lambda sample: sample.lag_ns)
        yield question.undecided(
            "the machine stalled for too long to judge times",
            got,
            value=longest_s,
            witnesses=[f"{where.service} at {seconds(where.t_ns):.3f} s: {longest_s:.3f} s late"],
        )
    else:
        yield question.passed(got, samples=len(stalls.samples), value=longest_s)
