"""Everything that the picture of a run shows, as plain values: drawn as SVG and as text."""

from dataclasses import dataclass, field

from harness.model.history import History
from harness.model.records import NS_PER_S, Attempt, FaultRecord, Operation, Phase
from harness.model.run import RunResult
from harness.model.verdict import Verdict
from harness.reporting.breaker_lanes import Lane, lanes_of, shown_of
from harness.reporting.cloud import Cloud, cloud_of
from harness.reporting.first_effect import first_effect_ns
from harness.reporting.quantities import seconds
from harness.reporting.series import Bin, bins_of, width_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A named stretch of the run, seconds since its start."""

    label: str
    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpan:
    """When a fault was in force, and when it was first seen to have an effect."""

    label: str
    start_s: float
    end_s: float
    effect_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The way back to steady state after the last heal.

    Args:
        heal_s: When the last fault was healed.
        steady_s: The first instant from which steady state held; None if it never did.
        is_ok: Whether the check on it held; None if no check looks at it.
        label: In words, with the limit.
    """

    heal_s: float
    steady_s: float | None
    is_ok: bool | None
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The picture of one run.

    Args:
        title: The scenario's name as a sentence.
        verdict: The verdict, in the title line.
        end_s: End of the time axis.
        phases: The phases in order.
        faults: The faults by start.
        cloud: All operations.
        bins: Sums per stretch of time.
        bin_s: Width of a bin.
        lanes: Breaker states; those that moved first.
        lanes_left_out: How many more breakers there are.
        recovery: The way back; None without a fault.
        limit_s: Latency limit of the steady state, seconds; None if it has none.
        limit_label: Its name.
    """

    title: str
    verdict: Verdict
    end_s: float
    phases: tuple[Span, ...] = ()
    faults: tuple[FaultSpan, ...] = ()
    cloud: Cloud = field(default_factory=Cloud)
    bins: tuple[Bin, ...] = ()
    bin_s: float = 1.0
    lanes: tuple[Lane, ...] = ()
    lanes_left_out: int = 0
    recovery: Recovery | None = None
    limit_s: float | None = None
    limit_label: str = ""

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to see: neither a phase nor an operation."""
        return not self.phases and not self.cloud.counts


def timeline_of(result: RunResult, history: History, bins_max: int = 80) -> Timeline:
    """Return the picture of a run: pure, so that the same history gives the same bytes."""
    operations = history.operations()
    end_s = _end_s(history, operations)
    limit_s = result.scenario.steady_state.latency_p95_s
    lanes, left_out = shown_of(lanes_of(result.scenario, history, end_s))
    width_s = width_of(end_s, len(operations), bins_max)
    return Timeline(
        title=result.scenario.name.replace("_", " "),
        verdict=result.verdict,
        end_s=end_s,
        phases=_phases(history),
        faults=_faults(history),
        cloud=cloud_of(operations, retried=_retried(history), end_s=end_s, limit_s=limit_s),
        bins=bins_of(operations, end_s, width_s),
        bin_s=width_s,
        lanes=lanes,
        lanes_left_out=left_out,
        recovery=_recovery(result, history),
        limit_s=limit_s,
        limit_label="" if limit_s is None else f"steady state: p95 {seconds(limit_s)}",
    )


def _end_s(history: History, operations: list[Operation]) -> float:
    run = history.run_window()
    last_ns = max((operation.end_ns for operation in operations), default=0)
    end_ns = run.end_ns if run else last_ns
    return max(end_ns / NS_PER_S, 0.1)  # an axis needs a length, also for an empty history


def _phases(history: History) -> tuple[Span, ...]:
    return tuple(
        Span(
            label=f"{phase.name} ({seconds((phase.end_ns - phase.t_ns) / NS_PER_S)})",
            name=phase.name,
            start_s=phase.t_ns / NS_PER_S,
            end_s=phase.end_ns / NS_PER_S,
        )
        for phase in history.of(Phase)
    )


def _faults(history: History) -> tuple[FaultSpan, ...]:
    records = history.of(FaultRecord)
    labels = {record.fault_id: f"{record.fault}: {record.target}" for record in records}
    spans = []
    for fault_id, window in history.fault_windows().items():
        target = next(record.target for record in records if record.fault_id == fault_id)
        seen_ns = first_effect_ns(history, fault_id, target, window)
        spans.append(
            FaultSpan(
                label=labels[fault_id],
                start_s=window.start_ns / NS_PER_S,
                end_s=window.end_ns / NS_PER_S,
                effect_s=None if seen_ns is None else seen_ns / NS_PER_S,
            )
        )
    return tuple(sorted(spans, key=lambda span: (span.start_s, span.label)))


def _retried(history: History) -> frozenset[str]:
    """Return the ids of the calls that had a second attempt."""
    return frozenset(attempt.call_id for attempt in history.of(Attempt) if attempt.attempt > 1)


def _recovery(result: RunResult, history: History) -> Recovery | None:
    heal_ns = history.last_heal_ns()
    finding = next((item for item in result.findings if item.name == "recovery_time"), None)
    if heal_ns is None or (finding is None and "recovery_time_s" not in result.figures):
        return None
    heal_s = heal_ns / NS_PER_S
    took_s = finding.value if finding else result.figures["recovery_time_s"]
    limit = f" (limit {seconds(finding.limit)})" if finding and finding.limit is not None else ""
    is_ok = None
    if finding is not None and finding.verdict in (Verdict.PASSED, Verdict.FAILED):
        is_ok = finding.verdict is Verdict.PASSED
    mark = {None: "", True: " ✓", False: " ✗"}[is_ok]
    if took_s is None:
        label = f"NOT recovered{limit}{mark}"
        return Recovery(heal_s=heal_s, steady_s=None, is_ok=is_ok, label=label)
    label = f"recovered in {seconds(took_s)}{limit}{mark}"
    return Recovery(heal_s=heal_s, steady_s=heal_s + took_s, is_ok=is_ok, label=label)
