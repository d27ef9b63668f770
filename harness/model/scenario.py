"""A scenario: one claim about a system, with the load, timeline and checks that test it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.model.alerting import Alerting
from harness.model.check import Check
from harness.model.fault import Fault
from harness.model.system import System
from harness.model.verdict import Verdict


class Arrivals(StrEnum):
    """How the intended starts of an open-loop load are spread."""

    CONSTANT = "constant"
    POISSON = "poisson"


class Reuse(StrEnum):
    """Whether operations share connections."""

    POOLED = "pooled"
    FRESH = "fresh"  # a connection for each request


class AnswerFormat(StrEnum):
    """How the answer to a probe is written."""

    JSON = "json"
    PROMETHEUS = "prometheus"  # the text format of metrics pages


class Severity(StrEnum):
    """How much a failure of the scenario matters, in Allure's words."""

    BLOCKER = "blocker"
    CRITICAL = "critical"
    NORMAL = "normal"
    MINOR = "minor"
    TRIVIAL = "trivial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Operations of one kind, offered on a schedule that is fixed before the run.

    Args:
        name: Unique in the scenario.
        service: The service that it calls, directly and not through a fault proxy.
        method: HTTP method.
        path: Path and query; `{name}` is replaced by a value of the dataset.
        body: JSON body, with `{name}` replaced in its texts; None for no body.
        dataset: Name of the system's dataset that values are drawn from; None for none.
        rate_per_s: Arrivals per second.
        arrivals: Constant or Poisson.
        start_s: Start of the load, seconds since the start of the run.
        duration_s: Its length; None: to the end of the run.
        count: Ends after so many arrivals; None: no limit.
        clients: Number of client ids that operations are drawn from, evenly.
        reuse: Pooled connections or a fresh one for each request.
        timeout_s: The client's patience, real seconds; then the outcome is UNKNOWN.
        expect_status: Statuses that count as OK; empty: any 2xx.
    """

    name: str
    service: str
    method: str = "GET"
    path: str = "/"
    body: Any = None
    dataset: str | None = None
    rate_per_s: float
    arrivals: Arrivals = Arrivals.CONSTANT
    start_s: float = 0.0
    duration_s: float | None = None
    count: int | None = None
    clients: int = 1
    reuse: Reuse = Reuse.POOLED
    timeout_s: float = 10.0
    expect_status: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """A quantity to read again and again.

    Args:
        name: Unique in the scenario.
        service: The service that is asked, directly and not through a fault proxy.
        path: HTTP path that is read.
        every_s: Interval, scaled.
        format: How the answer is written.
    """

    name: str
    service: str
    path: str
    every_s: float
    format: AnswerFormat = AnswerFormat.JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCondition:
    """A condition on the newest answer of a probe.

    Args:
        probe: Name of the probe.
        value: Dotted path of a value in its answer, e.g. `tasks.open`, or a series of metrics.
        equals: The value that it must have.
    """

    probe: str
    value: str
    equals: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyState:
    """What a healthy system looks like to the load.

    Args:
        success_ratio: Least share of operations that are OK.
        latency_p95_s: Largest 95th percentile of latency, real seconds; None: not looked at.
        loads: The loads that count; empty: all that run from the start to the end.
        needed: Operations that the baseline needs before it proves anything.
    """

    success_ratio: float = 0.99
    latency_p95_s: float | None = None
    loads: tuple[str, ...] = ()
    needed: int = 20  # with fewer, one lost packet decides about the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """How long to wait for the system to be steady again after the last heal.

    Args:
        at_most_s: Bound; the load stays on until then at the latest.
        hold_s: The steady state must hold for this long.
        until: Conditions on probes that must hold too.
    """

    at_most_s: float
    hold_s: float
    until: tuple[ProbeCondition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One fault and when it is in force, seconds since the start of the run."""

    at_s: float
    duration_s: float
    fault: Fault

    @property
    def end_s(self) -> float:
        """Return when the fault is healed."""
        return self.at_s + self.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The verdict that the scenario has to come to, for one that proves that a check can fail.

    Args:
        verdict: FAILED or INCONCLUSIVE.
        check: Name of the check that has to fire; the others must hold. None: none is named
            (for an INCONCLUSIVE that comes from the evidence gate).
    """

    verdict: Verdict
    check: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario, as its file says; durations and rates unscaled unless `time_scale` is set.

    Args:
        name: The file's name without `.chaos.yaml`.
        path: The file.
        claim: A sentence that can turn out false.
        reason: Why it matters, and why the bounds are as they are; may be empty.
        system: The system that it is about.
        severity: How much a failure matters.
        tags: Words for `-k` and `-m`.
        loads: At least one.
        probes: Quantities to read.
        alerts: The Prometheus that watches the system; None for none.
        baseline_s: Length of the baseline.
        timeline: Faults in order of their start; may be empty (a pure load scenario).
        settle: Bound and hold of the settle phase.
        steady_state: What healthy means.
        checks: What must hold; at least one.
        expect: For must-fail scenarios.
        variables: Extra environment variables by service, e.g. a planted defect.
        time_scale: The factor that durations below were multiplied by.
        line: Line of the scenario in its file, for messages.
    """

    name: str
    path: Path
    claim: str
    system: System
    loads: tuple[Load, ...]
    settle: Settle
    baseline_s: float
    checks: tuple[Check, ...]
    reason: str = ""
    severity: Severity = Severity.NORMAL
    tags: tuple[str, ...] = ()
    probes: tuple[ProbeSpec, ...] = ()
    alerts: Alerting | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    steady_state: SteadyState = field(default_factory=SteadyState)
    expect: Expectation | None = None
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time_scale: float = 1.0
    line: int = 0

    @property
    def faults_end_s(self) -> float:
        """Return when the last fault is healed; the end of the baseline without faults."""
        return max((entry.end_s for entry in self.timeline), default=self.work_end_s)

    @property
    def work_end_s(self) -> float:
        """Return when the last load with an end of its own ends, at least the baseline's end."""
        ends = [self.baseline_s]
        for load in self.loads:
            if load.count is not None:
                ends.append(load.start_s + load.count / load.rate_per_s)
            elif load.duration_s is not None:
                ends.append(load.start_s + load.duration_s)
        return max(ends)

    @property
    def settle_start_s(self) -> float:
        """Return when the settle phase begins: after the last fault and the last bounded load."""
        return max(self.faults_end_s, self.work_end_s)

    @property
    def shortest_s(self) -> float:
        """Return when the run is over at the earliest: steady at once after the last fault."""
        return self.settle_start_s + self.settle.hold_s

    @property
    def longest_s(self) -> float:
        """Return when the run is over at the latest, without start and stop of the system."""
        return self.settle_start_s + self.settle.at_most_s

    def services(self) -> tuple[str, ...]:
        """Return the services that its loads, probes and alerts reach, upstreams first."""
        clients = [load.service for load in self.loads]
        clients += [probe.service for probe in self.probes]
        clients += self.alerts.scrape if self.alerts else ()
        return self.system.reachable(tuple(dict.fromkeys(clients)))
