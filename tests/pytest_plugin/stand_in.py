"""A composition for tests: scenarios are small files, and a run comes to what its file says.

It is given to the plugin through the same hook as any other composition, in processes of their own.
"""

import asyncio
import dataclasses
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from harness.model.errors import FileProblems, HarnessError, PlanRefused, Problem, WorldNotClean
from harness.model.finding import Finding
from harness.model.history import History, to_json
from harness.model.records import NS_PER_S, FaultRecord, Operation, Phase
from harness.model.run import Listener, Progress, RunResult, RunSettings
from harness.model.scenario import Load, Scenario, Settle
from harness.model.system import Service, System
from harness.model.verdict import Verdict
from harness.pytest_support.choices import Choices as RunChoices

_KEYS = {"does", "tags", "severity"}


class Holds:
    """A check that is never asked."""

    name = "holds"
    summary = "holds"

    def judge(self, history: History, scenario: Scenario) -> Finding:
        raise AssertionError(len(history) + len(scenario.checks))


def load(paths: Sequence[Path]) -> list[Scenario]:
    """Read `{"does": ..., "tags": [...]}`."""
    return [_scenario(path) for path in paths]


def _scenario(path: Path) -> Scenario:
    values = json.loads(path.read_text())
    unknown = sorted(set(values) - _KEYS)
    if unknown:
        text = f"unknown key {unknown[0]!r}; did you mean 'severity'?"
        raise FileProblems([Problem(path=path, line=3, column=1, message=text)])
    return Scenario(
        name=path.name.removesuffix(".chaos.yaml"),
        path=path,
        claim="It holds.",
        reason=values["does"],
        system=System(name="shop", path=path.parent / "shop.system.yaml", services=(API,)),
        loads=(Load(name="lookups", service="api", rate_per_s=5.0),),
        settle=Settle(at_most_s=10.0, hold_s=1.0),
        baseline_s=10.0,
        checks=(Holds(),),
        tags=tuple(values.get("tags", ())),
        line=1,
    )


API = Service(name="api")


@asynccontextmanager
async def suite_environment(choices: RunChoices) -> AsyncIterator[Path]:
    """Give what the runs share: a file that is gone when the session is over."""
    shared = _shared(choices)
    shared.parent.mkdir(parents=True, exist_ok=True)
    shared.touch()
    try:
        yield shared
    finally:
        shared.unlink()
    if (choices.report_dir / "left").exists():
        raise WorldNotClean("left behind: a network")


def _shared(choices: RunChoices) -> Path:
    return choices.report_dir / f"shared-{os.getpid()}"


async def run_one(
    scenario: Scenario,
    choices: RunChoices,
    *,
    was_named: bool,
    environment: Path,
    listener: Listener,
) -> RunResult:
    """Act out what the file says, and come to its verdict."""
    assert environment == _shared(choices), "all runs of a session share one"
    if scenario.reason == "skip" and was_named:
        raise PlanRefused(scenario.name, ["it needs a kernel module"])
    folder = choices.report_dir / "runs" / scenario.name
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(dataclasses.asdict(choices), default=str)
    (choices.report_dir / "choices.json").write_text(told)
    for phase in ("baseline", "fault"):
        for elapsed_s in (0.0, 0.1, 1.0):  # the second comes too soon to be passed on
            told_s = {"elapsed_s": elapsed_s, "planned_s": 5.0}
            listener(Progress(scenario=scenario.name, phase=phase, operations=7, **told_s))
    await _act(scenario.reason, folder)
    return _result(scenario, folder, choices)


async def _act(what: str, folder: Path) -> None:
    match what:
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "break":
            raise HarnessError("the proxy would not start")
        case "explode":
            raise ZeroDivisionError("a bug of ours")
        case "interrupt":
            raise KeyboardInterrupt
        case "wait":
            (folder / "waiting").touch()
            try:
                await asyncio.sleep(30)
            finally:
                (folder / "healed").touch()


def _result(scenario: Scenario, folder: Path, choices: RunChoices) -> RunResult:
    verdict = {
        "pass": Verdict.PASSED,
        "wait": Verdict.PASSED,
        "fail": Verdict.FAILED,
        "doubt": Verdict.INCONCLUSIVE,
        "error": Verdict.HARNESS_ERROR,
        "skip": Verdict.SKIPPED,
    }[scenario.reason]
    path = folder / "history.ndjson"
    path.write_text("".join(f"{to_json(record)}\n" for record in _records()))
    return RunResult(
        scenario=scenario,
        settings=RunSettings(
            environment=choices.environment,
            seed=choices.seed,
            time_scale=choices.time_scale,
            folder=folder,
            run_id=f"{scenario.name}-{choices.seed}-{os.getpid()}",
        ),
        verdict=verdict,
        findings=(_finding(verdict),),
        sentence="" if verdict is Verdict.PASSED else f"holds: it did not ({scenario.reason})",
        started_unix_ns=1_700_000_000 * NS_PER_S,
        duration_s=3.0,
        figures={"recovery_time_s": 1.5},
        phases=(("baseline", 0.0, 1.0), ("fault", 1.0, 2.0), ("settle", 2.0, 3.0)),
        error="Traceback: it broke" if verdict is Verdict.HARNESS_ERROR else "",
        history_path=path,
    )


def _finding(verdict: Verdict) -> Finding:
    return Finding(check="holds(lookups)", verdict=verdict, expected="all", got="some", samples=12)


def _records() -> list[Phase | Operation | FaultRecord]:
    records: list[Phase | Operation | FaultRecord] = [
        Phase(t_ns=i * NS_PER_S, end_ns=(i + 1) * NS_PER_S, name=name)
        for i, name in enumerate(("baseline", "fault", "settle"))
    ]
    for index in range(12):
        t_ns = index * NS_PER_S // 4
        records.append(
            Operation(
                t_ns=t_ns,
                started_ns=t_ns,
                end_ns=t_ns + 20_000_000,
                load="lookups",
                call_id=f"c{index}",
                client="client-1",
                method="GET",
                target="/",
                outcome="OK",
                status=200,
            )
        )
    return records
