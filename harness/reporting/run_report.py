"""What is told about one run: a plain value that crosses processes and files unchanged."""

import dataclasses
import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.model.finding import Finding
from harness.model.run import DEFAULT_PROXIES, RunResult
from harness.model.verdict import Verdict

SCHEMA_VERSION = 1
DEFAULT_ENVIRONMENT = "processes"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSpan:
    """A phase and when it took place, seconds since the start of the run."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run as reports tell it: everything that needs neither the history nor the scenario.

    Args:
        name: Name of the scenario.
        path: Its file, as the user named it.
        claim: The sentence that can turn out false.
        reason: Why it matters; may be empty.
        system: Name of the system.
        severity: How much a failure matters.
        tags: The scenario's tags.
        faults: What was broken, e.g. `down api -> db`.
        verdict: The verdict of the run.
        sentence: The verdict in one line.
        findings: What each check said.
        figures: Named figures.
        phases: The phases that took place.
        environment: Name of the environment.
        proxy: Name of the fault proxy.
        seed: The run's seed.
        time_scale: Factor on durations.
        run_id: Name of the run.
        folder: Where its history and reports are.
        started_unix_ns: Wall-clock start.
        duration_s: Real seconds.
        error: What broke in the harness; empty otherwise.
    """

    name: str
    path: str
    claim: str
    system: str
    verdict: Verdict
    reason: str = ""
    severity: str = "normal"
    tags: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    sentence: str = ""
    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    phases: tuple[PhaseSpan, ...] = ()
    environment: str = DEFAULT_ENVIRONMENT
    proxy: str = ""
    seed: int = 0
    time_scale: float = 1.0
    run_id: str = ""
    folder: str = ""
    started_unix_ns: int = 0
    duration_s: float = 0.0
    error: str = ""

    @property
    def replay(self) -> str:
        """Return the command that runs the same scenario with the same choices again."""
        words = ["atlas-chaos", "run", self.path, "--seed", str(self.seed)]
        words += ["--time-scale", f"{self.time_scale:g}"]
        if self.environment != DEFAULT_ENVIRONMENT:
            words += ["--environment", self.environment]
        if self.proxy not in {"", DEFAULT_PROXIES.get(self.environment)}:
            words += ["--proxy", self.proxy]
        return shlex.join(words)


def report_of(result: RunResult) -> RunReport:
    """Return what is told about a run."""
    scenario, settings = result.scenario, result.settings
    return RunReport(
        name=scenario.name,
        path=str(scenario.path),
        claim=scenario.claim,
        reason=scenario.reason.strip(),
        system=scenario.system.name,
        severity=str(scenario.severity),
        tags=scenario.tags,
        faults=tuple(f"{entry.fault.name} {entry.fault.target}" for entry in scenario.timeline),
        verdict=result.verdict,
        sentence=result.sentence,
        findings=result.findings,
        figures=dict(result.figures),
        phases=tuple(PhaseSpan(name=n, start_s=a, end_s=b) for n, a, b in result.phases),
        environment=settings.environment,
        proxy=settings.proxy,
        seed=settings.seed,
        time_scale=settings.time_scale,
        run_id=settings.run_id,
        folder=str(settings.folder),
        started_unix_ns=result.started_unix_ns,
        duration_s=result.duration_s,
        error=result.error,
    )


def to_mapping(report: RunReport) -> dict[str, Any]:
    """Return the JSON document of a report; `from_mapping` is its inverse.

    All values are of JSON's own types, enumerations too: pytest-xdist sends nothing else.
    """
    values = {"schema": SCHEMA_VERSION, **dataclasses.asdict(report), "replay": report.replay}
    document: dict[str, Any] = json.loads(json.dumps(values))
    return document


def from_mapping(values: Mapping[str, Any]) -> RunReport:
    """Return the report that a JSON document holds; unknown keys are dropped.

    Raises:
        ValueError: If the document was written by a newer version.
    """
    schema = int(values.get("schema", 0))
    if schema > SCHEMA_VERSION:
        raise ValueError(f"this version reads schema {SCHEMA_VERSION}, the report has {schema}")
    known = {item.name for item in dataclasses.fields(RunReport)}
    kept = {key: value for key, value in values.items() if key in known}
    kept["verdict"] = Verdict(kept["verdict"])
    kept["tags"] = tuple(kept.get("tags", ()))
    kept["faults"] = tuple(kept.get("faults", ()))
    kept["findings"] = tuple(_finding(item) for item in kept.get("findings", ()))
    kept["phases"] = tuple(PhaseSpan(**item) for item in kept.get("phases", ()))
    return RunReport(**kept)


def _finding(values: Mapping[str, Any]) -> Finding:
    known = {item.name for item in dataclasses.fields(Finding)}
    kept = {key: value for key, value in values.items() if key in known}
    kept["verdict"] = Verdict(kept["verdict"])
    kept["witnesses"] = tuple(kept.get("witnesses", ()))
    return Finding(**kept)


def worst_first(reports: Iterable[RunReport]) -> list[RunReport]:
    """Return the reports with the worst verdict first, otherwise in their order."""
    order = list(Verdict)
    return sorted(reports, key=lambda report: order.index(report.verdict))


def relative_path(path: Path, root: Path) -> str:
    """Return `path` relative to `root` where it lies below, with forward slashes."""
    absolute = path.absolute()
    if absolute.is_relative_to(root.absolute()):
        return absolute.relative_to(root.absolute()).as_posix()
    return path.as_posix()
