"""Runs with a history, made from a seed: what a client sees of an outage behind a breaker."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar

from harness.model.fault import Applied, Capabilities, Capability
from harness.model.finding import Finding
from harness.model.history import History, to_json
from harness.model.records import (
    NS_PER_S,
    Attempt,
    BreakerTransition,
    FaultRecord,
    Operation,
    Phase,
    ProcessRecord,
    Record,
)
from harness.model.run import RunResult, RunSettings
from harness.model.scenario import Load, Scenario, Settle, Severity, SteadyState, TimelineEntry
from harness.model.system import Breaker, EventSource, Link, LinkSpec, Service, System
from harness.model.verdict import Verdict

DB = Link("api", "db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """A link that refuses connections."""

    name: ClassVar[str] = "down"
    summary: ClassVar[str] = "refuse connections"
    link: Link = DB

    @property
    def target(self) -> Link:
        return self.link

    @property
    def needs(self) -> frozenset[Capability]:
        return frozenset({Capability.NETWORK})

    @asynccontextmanager
    async def inject(self, on: Capabilities) -> AsyncIterator[Applied]:
        async with on.network.down(self.link) as applied:
            yield applied


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryTime:
    """A check that is never run here."""

    name: ClassVar[str] = "recovery_time"
    summary: ClassVar[str] = "time to steady state"

    def judge(self, history: History, scenario: Scenario) -> Finding:
        raise AssertionError(len(history) + len(scenario.checks))


def ns(t_s: float) -> int:
    return round(t_s * NS_PER_S)


def sample_scenario(**changes: object) -> Scenario:
    services = (Service(name="db"), Service(name="api", events=EventSource.FILE))
    system = System(
        name="shop",
        path=Path("scenarios/shop.system.yaml"),
        services=services,
        links=(LinkSpec(link=DB, variable="DB"),),
        breakers=(Breaker(name="api-db", service="api", links=(DB,), open_duration_s=10.0),),
    )
    scenario = Scenario(
        name="lookups_recover_after_an_outage",
        path=Path("scenarios/lookups_recover_after_an_outage.chaos.yaml"),
        claim="After 15 s without a database, lookups are fast again within 10 s.",
        reason="The limit is one open time of the breaker.",
        system=system,
        severity=Severity.BLOCKER,
        tags=("api", "database"),
        loads=(Load(name="lookups", service="api", rate_per_s=40.0),),
        settle=Settle(at_most_s=25.0, hold_s=5.0),
        baseline_s=20.0,
        checks=(RecoveryTime(),),
        timeline=(TimelineEntry(at_s=20.0, duration_s=15.0, fault=Down()),),
        steady_state=SteadyState(latency_p95_s=0.25),
    )
    return dataclasses.replace(scenario, **changes)


def _operation(rng: Random, index: int, t_s: float) -> Operation:
    latency_s, outcome, reason = rng.lognormvariate(-3.4, 0.35), "OK", None
    if 20.0 <= t_s < 22.4:
        latency_s, outcome, reason = 1.0 + rng.random() * 0.05, "UNKNOWN", "timeout"
        if rng.random() < 0.6:
            latency_s, outcome, reason = rng.uniform(0.3, 0.95), "FAILED", "http_500"
    elif 22.4 <= t_s < 38.0:
        latency_s, outcome, reason = rng.lognormvariate(-5.8, 0.2), "REJECTED", "breaker"
    elif 38.0 <= t_s < 49.5:
        latency_s = rng.lognormvariate(-2.0, 0.5)
        if rng.random() < 0.04:
            outcome, reason = "FAILED", "http_503"
    return Operation(
        t_ns=ns(t_s),
        started_ns=ns(t_s),
        end_ns=ns(t_s + latency_s),
        load="lookups",
        call_id=f"c{index}",
        client=f"client-{index % 7}",
        method="GET",
        target="/v1/lookup?lat=43.0731&lon=-89.4012",
        outcome=outcome,
        reason=reason,
        status={"OK": 200, "FAILED": 500, "REJECTED": 503}.get(outcome),
    )


def _operations(rate_per_s: float) -> list[Operation]:
    rng, t_s, found = Random(42), 0.0, []
    while t_s < 60.0:
        found.append(_operation(rng, len(found), t_s))
        t_s += rng.expovariate(rate_per_s)
    return found


def _breaker(t_s: float, states: tuple[str, str], seq: int) -> BreakerTransition:
    origin = {"service": "api", "incarnation": "1", "seq": seq, "name": "api-db"}
    return BreakerTransition(
        t_ns=ns(t_s), link=str(DB), from_state=states[0], to_state=states[1], **origin
    )


def _fault(t_s: float, what: str, detail: str) -> FaultRecord:
    about = {"fault_id": "0:down", "fault": "down", "target": str(DB)}
    return FaultRecord(t_ns=ns(t_s), what=what, detail=detail, count=3, **about)


def sample_records(rate_per_s: float = 40.0) -> list[Record]:
    records: list[Record] = [
        Phase(t_ns=0, end_ns=ns(20), name="baseline"),
        Phase(t_ns=ns(20), end_ns=ns(35), name="fault"),
        Phase(t_ns=ns(35), end_ns=ns(60), name="settle"),
        _fault(20.01, "applied", "proxy api -> db is disabled"),
        _fault(20.6, "effect", "3 connections refused"),
        _fault(35.02, "healed", "proxy api -> db is enabled"),
        ProcessRecord(t_ns=ns(-1.2), service="api", incarnation="1", what="ready", pid=7),
        _breaker(22.4, ("closed", "open"), 1),
        _breaker(32.4, ("open", "half_open"), 2),
        _breaker(32.9, ("half_open", "open"), 3),
        _breaker(38.0, ("open", "half_open"), 4),
        _breaker(39.2, ("half_open", "closed"), 5),
    ]
    operations = _operations(rate_per_s)
    records += operations
    for operation in operations[::9]:
        if operation.t_ns > ns(38):
            about = {"service": "api", "incarnation": "1", "seq": 9, "link": str(DB)}
            records.append(
                Attempt(
                    t_ns=operation.end_ns,
                    call_id=operation.call_id,
                    attempt=2,
                    started_ns=operation.t_ns,
                    outcome="ok",
                    **about,
                )
            )
    return records


FINDINGS = (
    Finding(
        check="success_ratio(lookups, settle)",
        verdict=Verdict.PASSED,
        expected="at least 95 %",
        got="98.8 %",
        samples=1003,
        needed=100,
        value=0.988,
        limit=0.95,
        unit="ratio",
    ),
    Finding(
        check="recovery_time(lookups)",
        verdict=Verdict.FAILED,
        expected="at most 10 s",
        got="14.9 s",
        samples=1003,
        needed=20,
        value=14.9,
        limit=10.0,
        unit="s",
        witnesses=("49.1 s: GET /v1/lookup FAILED http_503 after 212 ms (call c1964)",),
        at_ns=ns(49.1),
    ),
    Finding(
        check="breaker_sequence(api -> db)",
        verdict=Verdict.PASSED,
        expected="closed -> open -> half_open -> closed",
        got="closed -> open -> half_open -> open -> half_open -> closed",
        samples=5,
    ),
)

SENTENCE = "recovery_time(lookups): expected at most 10 s, got 14.9 s at 49.1 s"


def sample_run(folder: Path, **changes: object) -> RunResult:
    """Return the failed run, its history written into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "history.ndjson"
    path.write_text("".join(f"{to_json(record)}\n" for record in sample_records()))
    result = RunResult(
        scenario=sample_scenario(),
        settings=RunSettings(
            environment="processes", seed=42, time_scale=1.0, folder=folder, run_id="r1"
        ),
        verdict=Verdict.FAILED,
        findings=FINDINGS,
        sentence=SENTENCE,
        started_unix_ns=1_700_000_000 * NS_PER_S,
        duration_s=64.2,
        figures={"recovery_time_s": 14.9, "success_ratio": 0.71},
        phases=(("baseline", 0.0, 20.0), ("fault", 20.0, 35.0), ("settle", 35.0, 60.0)),
        history_path=path,
    )
    return dataclasses.replace(result, **changes)
