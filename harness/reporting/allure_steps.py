"""Turn a run's phases and findings into Allure steps with their real times."""

from typing import Any

from allure_commons.model2 import Parameter, StatusDetails, TestStepResult

from harness.model.finding import Finding
from harness.model.history import History, Window
from harness.model.records import (
    NS_PER_S,
    BreakerTransition,
    ClockRecord,
    FaultRecord,
    Phase,
    ProcessRecord,
)
from harness.model.run import RunResult
from harness.model.verdict import Verdict
from harness.reporting.check_table import margin_of, rows_of, samples_of

STATUSES = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "failed",
    Verdict.INCONCLUSIVE: "broken",
    Verdict.HARNESS_ERROR: "broken",
    Verdict.SKIPPED: "skipped",
}
_NS_PER_MS = 1_000_000
_EVENTS_MAX = 100  # per phase: a breaker that flaps for ever must not flood the page
_TELLING = (FaultRecord, BreakerTransition, ProcessRecord)


def phase_steps(result: RunResult, history: History | None) -> list[Any]:
    """Return a step per phase; faults, breaker moves and processes are its children."""
    if history is None:
        return []
    zero_ns = _zero_unix_ns(result, history)
    steps = []
    for phase in history.of(Phase):
        step = _step(phase.name, phase.t_ns, phase.end_ns, zero_ns)
        window = Window(start_ns=phase.t_ns, end_ns=phase.end_ns)
        step.steps = _events(history, window, zero_ns)
        steps.append(step)
    return steps


def _zero_unix_ns(result: RunResult, history: History) -> int:
    """Return the wall-clock time of the run's zero; services told both of their clocks."""
    for record in history.of(ClockRecord):
        return record.wall_unix_ns - record.t_ns
    return result.started_unix_ns


def _step(name: str, start_ns: int, end_ns: int, zero_ns: int) -> Any:
    start_ms, stop_ms = (zero_ns + start_ns) // _NS_PER_MS, (zero_ns + end_ns) // _NS_PER_MS
    return TestStepResult(name=name, start=start_ms, stop=stop_ms, status="passed")


def _events(history: History, window: Window, zero_ns: int) -> list[Any]:
    found = [record for record in history if isinstance(record, _TELLING)]
    inside = [record for record in found if record.t_ns in window]
    steps = [
        _step(_told(record), record.t_ns, record.t_ns, zero_ns) for record in inside[:_EVENTS_MAX]
    ]
    if len(inside) > _EVENTS_MAX:
        rest = len(inside) - _EVENTS_MAX
        steps.append(_step(f"and {rest} more, see the history", window.end_ns, window.end_ns, 0))
        steps[-1].start = steps[-1].stop = (zero_ns + window.end_ns) // _NS_PER_MS
    return steps


def _told(record: FaultRecord | BreakerTransition | ProcessRecord) -> str:
    at = f"{record.t_ns / NS_PER_S:.2f} s"
    if isinstance(record, FaultRecord):
        detail = f": {record.detail}" if record.detail else ""
        return f"{at} {record.fault} {record.target} {record.what}{detail}"
    if isinstance(record, BreakerTransition):
        name = record.link or record.name
        return f"{at} breaker {name}: {record.from_state} to {record.to_state}"
    return f"{at} {record.service} {record.what}"


def check_steps(result: RunResult) -> list[Any]:
    """Return a step per check, the worst first, with what it expected and what it got."""
    order = [row.check for row in rows_of(result.findings)]
    ordered = sorted(result.findings, key=lambda finding: order.index(finding.check))
    last_ns = max((round(end_s * NS_PER_S) for _, _, end_s in result.phases), default=0)
    return [_check(finding, result.started_unix_ns + last_ns) for finding in ordered]


def _check(finding: Finding, at_unix_ns: int) -> Any:
    at_ms = at_unix_ns // _NS_PER_MS
    values = (
        ("expected", finding.expected),
        ("got", finding.got),
        ("margin", margin_of(finding)),
        ("samples", samples_of(finding)),
    )
    step = TestStepResult(
        name=f"{finding.check}: {finding.got} (expected {finding.expected})",
        start=at_ms,
        stop=at_ms,
        status=STATUSES[finding.verdict],
        parameters=[Parameter(name=name, value=value) for name, value in values if value],
    )
    if finding.verdict is not Verdict.PASSED:
        reason = f"; {finding.reason}" if finding.reason else ""
        message = f"expected {finding.expected}, got {finding.got}{reason}"
        step.statusDetails = StatusDetails(message=message, trace="\n".join(finding.witnesses))
    return step
