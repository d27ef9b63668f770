"""From a history to the verdict of a run: evidence first, the worst finding wins."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from harness.checks.evidence import evidence_findings
from harness.checks.figures import figures_of
from harness.checks.question import seconds
from harness.model.check import Check
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.scenario import Expectation, Scenario
from harness.model.verdict import Verdict, worst

# Evidence about the machine, not the system.
_NOISE = frozenset({"dispatch", "stall_budget", "processors"})
_HARMLESS = _NOISE - {"dispatch"}  # where all passed; a load that was late was another load


class Judgement(NamedTuple):
    """What a run came to.

    Attributes:
        verdict: The verdict of the run, with the scenario's `expect` taken into account.
        findings: What each check said, worst first; evidence before checks of equal verdict.
        sentence: The verdict in one line: what, expected, got, by how much, when.
        figures: Named figures for tables and trends.
        is_noisy: Whether it is INCONCLUSIVE and the machine had its share in that: a check says so,
            it stalled, or a load was dispatched late. Another run may decide.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    sentence: str
    figures: Mapping[str, float]
    is_noisy: bool = False


def judge(history: History, scenario: Scenario) -> Judgement:
    """Judge a run by its history alone; the same history always comes to the same verdict.

    Without a steady baseline, and without a fault that was applied, checks are not asked:
    nothing that they could say would be about the fault. On a machine that stalled beyond the
    budget, a check of time says INCONCLUSIVE instead of FAILED; on one that kept the services
    waiting for a processor, every check but the exact ones. A check that raises is a
    HARNESS_ERROR, never a PASSED.

    Args:
        history: The whole record of the run.
        scenario: The scenario as it was run, scaled.
    """
    evidence = evidence_findings(history, scenario)
    checked = tuple(_checked(history, scenario, evidence))
    findings = (*_weighed(evidence, checked, scenario), *checked)
    order = list(Verdict)
    ordered = tuple(sorted(findings, key=lambda finding: order.index(finding.verdict)))
    verdict = worst(finding.verdict for finding in findings)
    sentence = _sentence(scenario, ordered)
    if scenario.expect is not None:
        verdict, sentence = _met(scenario.expect, ordered, sentence)
    is_noisy = verdict is Verdict.INCONCLUSIVE and any(
        one.is_noisy or (one.name in _NOISE and one.verdict is not Verdict.PASSED)
        for one in findings
    )
    return Judgement(verdict, ordered, sentence, figures_of(history, scenario), is_noisy)


def _checked(
    history: History, scenario: Scenario, evidence: Sequence[Finding]
) -> Iterator[Finding]:
    reason = _why_not_asked(evidence, history, scenario)
    undecided = [one for one in evidence if one.verdict is Verdict.INCONCLUSIVE]
    noise = {one.name: one for one in undecided if one.name in _NOISE}
    for check in scenario.checks:
        if reason:
            yield Finding(
                check=check.name,
                verdict=Verdict.INCONCLUSIVE,
                expected=check.summary,
                got="not asked",
                reason=reason,
            )
            continue
        finding = _ask(check, history, scenario)
        excuse = _excuse_of(check, noise)
        if excuse is not None and finding.verdict is Verdict.FAILED:
            finding = _excused(finding, excuse)
        yield finding


def _excuse_of(check: Check, noise: Mapping[str, Finding]) -> Finding | None:
    """Return what the machine did that the check may owe its failure to.

    Lateness spoils what is measured in time. Without processors calls time out, and that spoils
    all but the rules that hold at any speed.
    """
    if getattr(check, "is_timed", False) and noise:
        return next(iter(noise.values()))
    return None if getattr(check, "is_exact", False) else noise.get("processors")


def _weighed(
    evidence: Sequence[Finding], checked: Sequence[Finding], scenario: Scenario
) -> Iterator[Finding]:
    """Yield the evidence; noise that put no check in doubt is told, and costs nothing.

    Stalls and missing processors make things late, so they can turn a pass into a failure and not
    the other way round: where every check passed, or failed by a rule that holds at any speed,
    nothing has to be excused. Only a check that asks for slowness (`at_least` of a latency) could
    owe its pass to them.
    """
    in_doubt = any(
        getattr(check, "at_least_s", None) or not _is_beyond_doubt(check, finding)
        for check, finding in zip(scenario.checks, checked, strict=True)
    )
    for finding in evidence:
        is_noise = finding.name in _HARMLESS and finding.verdict is not Verdict.PASSED
        if is_noise and not in_doubt:
            got = f"{finding.got}; every check was decided all the same"
            yield replace(finding, verdict=Verdict.PASSED, got=got, reason="")
        else:
            yield finding


def _is_beyond_doubt(check: Check, finding: Finding) -> bool:
    """Say whether a finding is the same on a machine at any speed."""
    is_exact = getattr(check, "is_exact", False)
    return finding.verdict is Verdict.PASSED or (is_exact and finding.verdict is Verdict.FAILED)


def _why_not_asked(evidence: Sequence[Finding], history: History, scenario: Scenario) -> str:
    baseline = next(finding for finding in evidence if finding.name == "baseline")
    if baseline.verdict is not Verdict.PASSED:
        return f"the baseline did not hold: {baseline.reason}"
    missing = len(scenario.timeline) - len(history.fault_windows())
    return f"{missing} faults were never applied" if missing > 0 else ""


def _ask(check: Check, history: History, scenario: Scenario) -> Finding:
    try:
        return check.judge(history, scenario)
    except Exception as error:  # noqa: BLE001 -- whatever broke, it must neither pass nor fail
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno} in {frame.name}"
        return Finding(
            check=check.name,
            verdict=Verdict.HARNESS_ERROR,
            expected=check.summary,
            got="the check itself broke",
            reason=f"{type(error).__name__}: {error} ({where})",
            witnesses=tuple(line.strip() for line in traceback.format_exception(error)[-3:]),
        )


def _excused(finding: Finding, noise: Finding) -> Finding:
    """Return a finding about time that a stalled machine keeps from being sure."""
    reason = f"{noise.reason} ({noise.got})"
    return replace(finding, verdict=Verdict.INCONCLUSIVE, reason=reason, is_noisy=True)


def _sentence(scenario: Scenario, ordered: Sequence[Finding]) -> str:
    first = ordered[0]
    if first.verdict is Verdict.PASSED:
        return f"held: {scenario.claim.rstrip('.')} ({len(scenario.checks)} checks)"
    parts = [f"{first.check}: expected {first.expected}, got {first.got}"]
    if first.verdict is Verdict.FAILED and first.value is not None and first.limit is not None:
        by = abs(first.value - first.limit)
        if by:
            parts.append(f"off by {_amount(by, first.unit)}")
    if first.reason:
        parts.append(first.reason)
    if first.at_ns is not None:
        parts.append(f"at {seconds(first.at_ns):.3f} s")
    return "; ".join(parts)


def _amount(size: float, unit: str) -> str:
    """Return a distance in the words of its unit; shares differ by percentage points.

    >>> _amount(0.29, "ratio"), _amount(4.9, "s"), _amount(2.0, "")
    ('29 points', '4.9 s', '2')
    """
    return f"{size * 100:.3g} points" if unit == "ratio" else f"{size:.3g} {unit}".rstrip()


def _met(expect: Expectation, ordered: Sequence[Finding], sentence: str) -> tuple[Verdict, str]:
    """Return whether a scenario that has to come to a verdict did, for the reason it names."""
    overall = ordered[0].verdict
    if overall is Verdict.HARNESS_ERROR:
        return overall, sentence
    wanted = f"{expect.verdict}{f' by {expect.check}' if expect.check else ''}"
    if expect.check is None:
        if overall is expect.verdict:
            return Verdict.PASSED, f"{wanted}, as it had to be: {sentence}"
        return Verdict.FAILED, f"expected {wanted}, but the run is {overall}: {sentence}"
    named = [finding for finding in ordered if expect.check in {finding.name, finding.check}]
    others = [finding for finding in ordered if finding not in named]
    seen = worst(finding.verdict for finding in named) if named else None
    spoiled = [finding for finding in others if finding.verdict is not Verdict.PASSED]
    if seen is expect.verdict and not spoiled:
        return Verdict.PASSED, f"{wanted}, as it had to be: {sentence}"
    if seen is not expect.verdict:
        told = "was not asked" if seen is None else f"is {seen}"
        has_failed = seen is not Verdict.INCONCLUSIVE or overall is Verdict.FAILED
        verdict = Verdict.FAILED if has_failed else Verdict.INCONCLUSIVE
        return verdict, f"expected {wanted}, but {expect.check} {told}: {sentence}"
    also = spoiled[0]
    return (
        also.verdict,
        f"{wanted}, but {also.check} is {also.verdict} too: {also.reason or also.got}",
    )
