"""What a run came to, and the environment protocol that the runner is written against."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.model.fault import Capabilities, Capability
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import Record
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict

DEFAULT_PROXIES = {"processes": "embedded", "compose": "toxiproxy"}
"""The fault proxy that each environment has unless told, or in need of the other."""

DEFAULT_TIME_SCALES = {"processes": 0.1, "compose": 0.2}
"""The factor on durations in each environment unless told.

At 0.1 the shortest open time of the bundled system is 3 s, and its suite ends within 4 minutes. A
container starts half a second later than a process, which at 0.1 is 5 s of a scenario.
"""


def default_time_scale(environment: str) -> float:
    """Return the factor on durations unless told, for any other environment that of processes."""
    return DEFAULT_TIME_SCALES.get(environment, DEFAULT_TIME_SCALES["processes"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """The choices of one run that are not part of its scenario.

    Args:
        environment: Name of the environment.
        proxy: Name of the fault proxy that carries the links.
        seed: Everything random derives from it.
        time_scale: Factor on durations.
        folder: Where history and reports of this run go.
        keep: Leave the system running after the run.
        run_id: Unique name of the run, carried by all that it starts; runs in containers that
            share a project carry the name of the one that it was made for.
    """

    environment: str
    seed: int
    time_scale: float
    folder: Path
    run_id: str
    proxy: str = ""
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """One scenario, in one environment, with one seed: what it came to.

    Args:
        scenario: The scenario as it was run (scaled).
        settings: How it was run.
        verdict: The verdict of the run, with `expect` taken into account.
        findings: What each check said, worst first.
        sentence: The verdict in one line: what, expected, got, when.
        started_unix_ns: Wall-clock start, for display.
        duration_s: Real seconds from start to clean world.
        figures: Named figures for tables and trends, e.g. `recovery_time_s`.
        phases: Name, start and end of each phase, seconds since the start of the run.
        error: Traceback or message of a HARNESS_ERROR.
        history_path: The history; None if the run did not come that far.
        is_noisy: Whether it is INCONCLUSIVE because of the machine, so that another run may decide.
        reruns: How often it was run before for that reason.
        history: The history that it was judged by, for as long as somebody needs it; it may take
            hundreds of megabytes.
    """

    scenario: Scenario
    settings: RunSettings
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    sentence: str = ""
    started_unix_ns: int = 0
    duration_s: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    phases: tuple[tuple[str, float, float], ...] = ()
    error: str = ""
    history_path: Path | None = None
    is_noisy: bool = False
    reruns: int = 0
    history: History | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A sign of life of a run, for people who wait.

    Args:
        scenario: Name of the scenario.
        phase: `start`, a phase of the run, `stop` or `judge`.
        elapsed_s: Real seconds since the phase began.
        planned_s: Real seconds that the phase lasts at most; 0 if unknown.
        message: What happens, e.g. `down api -> db applied`; may be empty.
        operations: Operations that ended so far.
        not_ok: Those among them that were not OK.
        breakers: Those that are not closed, in words, e.g. `api-server open`.
    """

    scenario: str
    phase: str
    elapsed_s: float = 0.0
    planned_s: float = 0.0
    message: str = ""
    operations: int = 0
    not_ok: int = 0
    breakers: tuple[str, ...] = ()


Listener = Callable[[Progress], None]
Recorder = Callable[[Record], None]


class RunningSystem(Protocol):
    """A system that was started and is healthy."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what faults may act with."""
        ...

    def address(self, service: str) -> str:
        """Return `host:port` of a service, not through a proxy."""
        ...

    def environment(self, name: str) -> Mapping[str, str]:
        """Return the environment variables of a further process of the run, its mark included."""
        ...

    def event_files(self) -> Mapping[str, Path]:
        """Return the event files written so far, keyed by `<service>.<incarnation>`."""
        ...

    def check_alive(self) -> None:
        """Raise `HarnessError` if something that no fault stopped has died."""
        ...


class Environment(Protocol):
    """Where runs take place."""

    name: str

    def offers(self) -> frozenset[Capability]:
        """Return the capabilities that it has on this machine."""
        ...

    def missing(self, scenario: Scenario) -> list[str]:
        """Return why this machine cannot run the scenario here; empty if it can."""
        ...

    def proxy_for(self, scenario: Scenario) -> str:
        """Return the name of the fault proxy that a run of the scenario gets."""
        ...

    def start(
        self, scenario: Scenario, settings: RunSettings, record: Recorder
    ) -> AbstractAsyncContextManager[RunningSystem]:
        """Start the services that the scenario reaches; leaving stops them and checks the world.

        Raises:
            ServiceNotReady: If a service does not become healthy in time.
            WorldNotClean: On leaving, if something is still there.
        """
        ...
