"""Turn a run's phases and findings into Allure steps with their real times."""

from typing import Any

from allure_commons.model2 import Parameter, StatusDetails, TestStepResult

from harness.model.finding import Finding
from harness.model.records import NS_PER_S
from harness.model.run import RunResult
from harness.model.verdict import Verdict
from harness.reporting.check_table import margin_of, rows_of, samples_of
from harness.reporting.digest import Digest
from harness.reporting.phase_events import PhaseEvents

STATUSES = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "failed",
    Verdict.INCONCLUSIVE: "broken",
    Verdict.HARNESS_ERROR: "broken",
    Verdict.SKIPPED: "skipped",
}
_NS_PER_MS = 1_000_000


def phase_steps(digest: Digest | None) -> list[Any]:
    """Return a step per phase with its real times; what happened in it are its children."""
    if digest is None:
        return []
    return [_phase(phase, digest.zero_unix_ns) for phase in digest.phases]


def _phase(phase: PhaseEvents, zero_ns: int) -> Any:
    step = _step(phase.name, phase.start_ns, phase.end_ns, zero_ns)
    step.steps = [_step(told, t_ns, t_ns, zero_ns) for t_ns, told in phase.events]
    if phase.left_out:
        told = f"and {phase.left_out} more, see the history"
        step.steps.append(_step(told, phase.end_ns, phase.end_ns, zero_ns))
    return step


def _step(name: str, start_ns: int, end_ns: int, zero_ns: int) -> Any:
    start_ms, stop_ms = (zero_ns + start_ns) // _NS_PER_MS, (zero_ns + end_ns) // _NS_PER_MS
    return TestStepResult(name=name, start=start_ms, stop=stop_ms, status="passed")


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
