"""Run one scenario from start to verdict: the recipe of the whole harness.

Plan (before this), start, baseline, break, settle, stop, collect, judge. All that acts is a context
manager: an error, Ctrl-C or SIGTERM heals and stops everything; SIGKILL is the watchdog's business.
Collecting and judging go to a thread: other runs share the loop, and would apply faults late.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.checks import is_steady, judge, settled, steady_loads
from harness.clock import Clock
from harness.load import LoadGenerator, plan_load
from harness.model.errors import HarnessError, in_one_line, told
from harness.model.history import read_history
from harness.model.records import NS_PER_S, Note, Phase, PhaseName, Probe, Record
from harness.model.run import (
    Environment,
    Listener,
    Progress,
    RunningSystem,
    RunResult,
    RunSettings,
)
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict
from harness.observation import (
    HttpEvents,
    LiveBreakers,
    Recorder,
    following_services,
    probing,
    sample_lag,
)
from harness.plan import Plan
from harness.timeline import play

_LEAD_S = 0.1  # between the last preparation and the first arrival
_POLL_S = 0.05  # resolution of the settle phase
_TELL_EVERY_S = 0.2  # faster than people read
_BASELINE_WAIT_S = 2.0  # real: operations of a healthy system end long before


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a run is made of, besides its plan.

    Args:
        settings: Seed, time scale and folder.
        environment: Where it takes place.
        clock: The clock of the run.
        listener: Takes signs of life.
        history_path: Where the history goes.
    """

    settings: RunSettings
    environment: Environment
    clock: Clock
    listener: Listener
    history_path: Path


async def run_scenario(plan: Plan, recipe: Recipe) -> RunResult:
    """Run a planned scenario and return what it came to.

    An error of ours becomes a HARNESS_ERROR with what was recorded so far; a cancellation goes
    through, after everything was healed and stopped.
    """
    started_unix_ns, started_ns = recipe.clock.wall_unix_ns(), recipe.clock.now_ns()
    recorder = Recorder(recipe.history_path)
    error = ""
    try:
        await _Run(plan.scenario, recipe, recorder).record()
    except Exception as failure:  # noqa: BLE001 -- whatever it is, it is no verdict on the system
        error = told(failure)
    result = RunResult(
        scenario=plan.scenario,
        settings=recipe.settings,
        verdict=Verdict.HARNESS_ERROR,
        sentence=in_one_line(error),
        started_unix_ns=started_unix_ns,
        duration_s=(recipe.clock.now_ns() - started_ns) / NS_PER_S,
        error=error,
        history_path=recipe.history_path,
    )
    if error:
        return result  # a run that we broke says nothing about the system
    recipe.listener(Progress(scenario=plan.scenario.name, phase="judge"))
    return await asyncio.to_thread(judged, result)


def judged(result: RunResult) -> RunResult:
    """Return the result of a recorded run with its verdict, from its history alone."""
    if result.history_path is None:
        raise HarnessError("the run has no history")
    with result.history_path.open(encoding="utf-8") as lines:
        history = read_history(lines)
    judgement = judge(history, result.scenario)
    phases = tuple(
        (phase.name, phase.t_ns / NS_PER_S, phase.end_ns / NS_PER_S) for phase in history.of(Phase)
    )
    return replace(
        result,
        verdict=judgement.verdict,
        findings=judgement.findings,
        sentence=judgement.sentence,
        figures=judgement.figures,
        is_noisy=judgement.is_noisy,
        phases=phases,
        history=history,
    )


class _Run:
    """One run while it goes on: the parts of the recipe, in order."""

    def __init__(self, scenario: Scenario, recipe: Recipe, recorder: Recorder) -> None:
        self._scenario = scenario
        self._recipe = recipe
        self._clock = recipe.clock
        self._recorder = recorder
        self._before_start: list[Record] = []
        self._streams: Sequence[HttpEvents] = ()
        self._t0_ns: int | None = None

    async def record(self) -> None:
        """Start the system, take it through all phases, stop it, and collect the history."""
        self._tell("start")
        settings, load_file = self._recipe.settings, self._recipe.settings.folder / "load.ndjson"
        environment = self._recipe.environment
        event_files: dict[str, Path] = {}
        try:
            async with environment.start(self._scenario, settings, self._record_absolute) as system:
                try:
                    await self._observed(system, load_file)
                finally:
                    event_files.update(system.event_files())
                    self._tell("stop")
        finally:
            await asyncio.to_thread(
                self._recorder.collect,
                event_files,
                t0_ns=self._zero(),
                load_file=load_file if load_file.exists() else None,
                streams=self._streams,
            )

    def _zero(self) -> int:
        """Set the run's clock to zero now, unless it is set, and return that instant."""
        if self._t0_ns is None:
            self._t0_ns = self._clock.now_ns() + round(_LEAD_S * NS_PER_S)
            for record in self._before_start:
                self._record_absolute(record)
        return self._t0_ns

    def _record_absolute(self, record: Record) -> None:
        """Record what carries an absolute time; before zero is known it has to wait."""
        if self._t0_ns is None:
            self._before_start.append(record)
        else:
            self._recorder.record(replace(record, t_ns=record.t_ns - self._t0_ns))

    def now_ns(self) -> int:
        """Return the time since the start of the run."""
        return self._clock.now_ns() - self._zero()

    async def sleep_until(self, at_s: float) -> None:
        """Wait until an instant, seconds since the start of the run."""
        await self._clock.sleep(at_s - self.now_ns() / NS_PER_S)

    def _tell(self, phase: str, message: str = "") -> None:
        self._recipe.listener(Progress(scenario=self._scenario.name, phase=phase, message=message))

    async def _observed(self, system: RunningSystem, load_file: Path) -> None:
        """Put load and probes on the system and play the phases."""
        names = self._scenario.services()
        addresses = {name: system.address(name) for name in names}
        seed = self._recipe.settings.seed
        load = LoadGenerator(
            plan_load(self._scenario, seed=seed, addresses=addresses),
            path=load_file,
            environment=system.environment("load"),
            clock=self._clock,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(load)
            self._streams = await stack.enter_async_context(
                following_services(self._scenario.system, addresses, clock=self._clock)
            )
            t0_ns = self._zero()
            load.start(t0_ns)
            self._recorder.record(Note(t_ns=0, name="seed", value=seed))
            await stack.enter_async_context(
                sample_lag(self._recorder.record, clock=self._clock, t0_ns=t0_ns)
            )
            await stack.enter_async_context(
                probing(
                    self._scenario.probes,
                    addresses=addresses,
                    record=self._recorder.record,
                    clock=self._clock,
                    t0_ns=t0_ns,
                )
            )
            await self._phases(_Live(system=system, load=load))
            await load.stop()

    async def _phases(self, live: "_Live") -> None:
        scenario = self._scenario
        baseline_ns = round(scenario.baseline_s * NS_PER_S)
        async with self._telling(PhaseName.BASELINE, scenario.baseline_s, live):
            await self.sleep_until(scenario.baseline_s)
            live.system.check_alive()
            is_held = await self._baseline_held(live, baseline_ns)
        self._recorder.record(Phase(t_ns=0, end_ns=baseline_ns, name=PhaseName.BASELINE))
        if not is_held:
            return  # nothing is injected into a system that was not healthy to begin with
        fault_s = scenario.settle_start_s - scenario.baseline_s
        async with self._telling(PhaseName.FAULT, fault_s, live):
            await play(
                scenario.timeline,
                live.system.capabilities,
                stage=self,
                record=self._recorder.record,
            )
            await self.sleep_until(scenario.work_end_s)
        settle_ns = self.now_ns()
        self._recorder.record(Phase(t_ns=baseline_ns, end_ns=settle_ns, name=PhaseName.FAULT))
        async with self._telling(PhaseName.SETTLE, scenario.settle.at_most_s, live):
            await self._settle(live)
        self._recorder.record(Phase(t_ns=settle_ns, end_ns=self.now_ns(), name=PhaseName.SETTLE))

    @asynccontextmanager
    async def _telling(
        self, phase: PhaseName, planned_s: float, live: "_Live"
    ) -> AsyncIterator[None]:
        """Tell how a phase goes while it lasts."""
        ticker = asyncio.create_task(self._tick(phase, planned_s, live))
        try:
            yield
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)

    async def _tick(self, phase: str, planned_s: float, live: "_Live") -> None:
        start_ns = self.now_ns()
        while True:
            counters = live.load.counters()
            self._recipe.listener(
                Progress(
                    scenario=self._scenario.name,
                    phase=phase,
                    elapsed_s=(self.now_ns() - start_ns) / NS_PER_S,
                    planned_s=planned_s,
                    message=live.message,
                    operations=counters.ended,
                    not_ok=counters.not_ok,
                    breakers=live.breakers.not_closed(live.system.event_files(), self._streams),
                )
            )
            await self._clock.sleep(_TELL_EVERY_S)

    async def _baseline_held(self, live: "_Live", end_ns: int) -> bool:
        """Say whether the system was steady up to an instant, once all its operations ended."""
        await live.load.wait_until_ended(end_ns, _BASELINE_WAIT_S)
        names = steady_loads(self._scenario)
        seen = [one for one in live.load.operations() if one.load in names and one.t_ns < end_ns]
        return not names or is_steady(seen, self._scenario.steady_state).is_steady

    async def _settle(self, live: "_Live") -> None:
        """Keep the load on until the system was steady for long enough, or the bound is over."""
        since_ns, bound_ns = self.now_ns(), round(self._scenario.longest_s * NS_PER_S)
        while (until_ns := self.now_ns()) < bound_ns:
            live.system.check_alive()
            if await live.load.wait_until_ended(until_ns, (bound_ns - until_ns) / NS_PER_S):
                answer = settled(
                    live.load.operations(since_ns=since_ns),
                    [one for one in self._recorder.records if isinstance(one, Probe)],
                    self._scenario,
                    since_ns=since_ns,
                    until_ns=until_ns,
                )
                if answer.is_steady:
                    return
                live.message = answer.reason
            await self._clock.sleep(_POLL_S)


@dataclass(slots=True, kw_only=True)
class _Live:
    """What is running: the system and its load, and what is being done to it."""

    system: RunningSystem
    load: LoadGenerator
    breakers: LiveBreakers = field(default_factory=LiveBreakers)
    message: str = ""
