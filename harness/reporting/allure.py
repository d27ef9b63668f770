"""Build Allure results: the same content for the command line and for pytest.

Allure shows a description without a click and everything else with one, so the table of checks and
the figure stand in the description; steps, attachments and parameters follow.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allure_commons.model2 import Label, Parameter, StatusDetails, TestResult

from harness.model.records import NS_PER_S
from harness.model.run import RunResult
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict
from harness.reporting.allure_description import description_html
from harness.reporting.allure_documents import Document, documents_of
from harness.reporting.allure_steps import STATUSES, check_steps, phase_steps
from harness.reporting.console import failure_block, render
from harness.reporting.digest import Digest
from harness.reporting.run_report import RunReport, relative_path, report_of
from harness.reporting.timeline_figure import draw

# The words before the colon are what categories match on; pytest's exceptions have these names.
EXCEPTIONS = {
    Verdict.FAILED: "PropertyViolation",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.HARNESS_ERROR: "HarnessBroke",
}
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a result says, in Allure's own values.

    Args:
        name: Title of the result.
        full_name: Identity, the same for every way to run the scenario.
        title_path: Where it stands in the tree.
        description_html: Claim, table, figure.
        parameters: Environment (part of the identity), seed and the like (not part of it).
        labels: Suites, severity, tags and fault kinds.
        steps: Phases, then checks.
        documents: What is attached, in order.
        status: Allure's status.
        message: Class of exception and verdict sentence; empty if it passed.
        trace: All details as text; empty if it passed.
    """

    name: str
    full_name: str
    title_path: tuple[str, ...]
    description_html: str
    status: str
    message: str = ""
    trace: str = ""
    parameters: tuple[Any, ...] = ()
    labels: tuple[Any, ...] = ()
    steps: tuple[Any, ...] = ()
    documents: tuple[Document, ...] = field(default=())

    @property
    def test_case_id(self) -> str:
        """Return the identity that Allure 3 links history by."""
        return md5(self.full_name)

    @property
    def history_id(self) -> str:
        """Return the identity that Allure 2 links history by."""
        parts = [f"{item.name}:{item.value}" for item in self.parameters if not item.excluded]
        return md5("\n".join([self.full_name, *parts]))


def md5(text: str) -> str:
    """Return the hash that Allure uses for identities; nothing here is a secret."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def full_name_of(path: Path, name: str, root: Path) -> str:
    """Return the identity of a scenario: neither a line, a worker nor a seed is part of it."""
    return f"{relative_path(path, root)}#{name}"


def labels_of(scenario: Scenario) -> list[tuple[str, str]]:
    """Return the labels by which reports are grouped and filtered, as type and value."""
    kinds = sorted({entry.fault.name for entry in scenario.timeline})
    return [
        ("epic", scenario.system.name),
        ("feature", " and ".join(kinds) or "load without a fault"),
        ("parentSuite", scenario.system.name),
        ("suite", scenario.path.name),
        ("severity", str(scenario.severity)),
        ("layer", "chaos"),
        *(("faultKind", kind) for kind in kinds),
    ]


def content_of(
    result: RunResult, digest: Digest | None, root: Path, figure: str | None = None
) -> Content:
    """Return what Allure shows of a run.

    Args:
        result: The run.
        digest: What its history says; None if it did not come that far.
        root: Folder that identities are relative to.
        figure: Its timeline, if it was drawn already.
    """
    report = report_of(result)
    if figure is None and digest is not None and not digest.timeline.is_empty:
        figure = draw(digest.timeline)
    asked = {check.name for check in result.scenario.checks}
    is_bad = result.verdict in EXCEPTIONS
    steps = phase_steps(digest) + check_steps(result)
    return Content(
        name=report.name.replace("_", " "),
        full_name=full_name_of(result.scenario.path, report.name, root),
        title_path=(relative_path(result.scenario.path, root),),
        description_html=description_html(report, digest, figure, asked),
        status=STATUSES[result.verdict],
        message=message_of(report),
        trace=render(failure_block(report)) if is_bad else "",
        parameters=_parameters(report),
        labels=tuple(Label(name=name, value=value) for name, value in labels_of(result.scenario)),
        steps=tuple(steps),
        documents=tuple(documents_of(result, report, digest, figure)),
    )


def message_of(report: RunReport) -> str:
    """Return the status message: exception and sentence, no module path; empty if it passed."""
    if report.verdict is Verdict.SKIPPED:
        return report.sentence
    kind = EXCEPTIONS.get(report.verdict)
    return f"{kind}: {report.sentence}" if kind else ""


def _parameters(report: RunReport) -> tuple[Any, ...]:
    hidden = (
        ("seed", str(report.seed)),
        ("time scale", f"{report.time_scale:g}"),
        ("run id", report.run_id),
    )
    return (
        Parameter(name="environment", value=report.environment),
        *(Parameter(name=n, value=v, excluded=True, mode="hidden") for n, v in hidden),
    )


def allure_result_of(result: RunResult, content: Content) -> TestResult:
    """Return Allure's value of a whole run, without attachments, for runs outside pytest."""
    start_ms = result.started_unix_ns // _NS_PER_MS
    stop_ms = start_ms + round(result.duration_s * NS_PER_S) // _NS_PER_MS
    identity = f"{content.history_id}:{result.settings.run_id}"
    tags = [Label(name="tag", value=tag) for tag in result.scenario.tags]
    made_by = [Label(name="framework", value="atlas-chaos"), Label(name="language", value="python")]
    value = TestResult(
        uuid=md5(identity),
        name=content.name,
        fullName=content.full_name,
        testCaseId=content.test_case_id,
        historyId=content.history_id,
        titlePath=list(content.title_path),
        status=content.status,
        descriptionHtml=content.description_html,
        start=start_ms,
        stop=stop_ms,
        steps=list(content.steps),
        parameters=list(content.parameters),
        labels=[*content.labels, *tags, *made_by],
    )
    if content.message:
        value.statusDetails = StatusDetails(message=content.message, trace=content.trace)
    return value
