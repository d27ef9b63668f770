"""A small language for histories and scenarios: times in seconds, one function for each thing."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fault_injectors.cpu_pressure import CpuPressure
from fault_injectors.down import Down
from fault_injectors.upstream_response import UpstreamResponse
from harness.model.check import Check
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import (
    NS_PER_S,
    Attempt,
    BreakerTransition,
    ClockRecord,
    EventGap,
    FaultRecord,
    LagSample,
    Operation,
    Phase,
    Probe,
    ProcessorWait,
    ProxyChunk,
    ProxyConnection,
    ReceivedRequest,
    Record,
    WorkItem,
)
from harness.model.scenario import Load, Scenario, Settle, SteadyState, TimelineEntry
from harness.model.system import Breaker, Link, LinkSpec, Service, System

API_DB = Link("api", "db")
BATCH_WI = Link("batch", "portal_wi")

# The phases of nearly all tests: baseline to 20 s, fault to 80 s, settle to 110 s.
BASELINE_END, FAULT_END, RUN_END = 20.0, 80.0, 110.0

Records = Iterable[Record]


def ns(t_s: float) -> int:
    return round(t_s * NS_PER_S)


def history(*parts: Record | Records) -> History:
    records: list[Record] = []
    for part in parts:
        if isinstance(part, Iterable):
            records.extend(part)
        else:
            records.append(part)
    return History(records)


def phases(*, run_end: float = RUN_END) -> list[Record]:
    return [
        Phase(t_ns=0, end_ns=ns(BASELINE_END), name="baseline"),
        Phase(t_ns=ns(BASELINE_END), end_ns=ns(FAULT_END), name="fault"),
        Phase(t_ns=ns(FAULT_END), end_ns=ns(run_end), name="settle"),
    ]


def operation(t: float, *, took: float = 0.01, load: str = "lookups", **more: Any) -> Operation:
    fields: dict[str, Any] = {
        "started_ns": ns(t),
        "end_ns": ns(t + took),
        "call_id": f"{load}-{t:.3f}",
        "client": "c0",
        "method": "GET",
        "target": "/v1/lookup",
        "outcome": "OK",
        "status": 200,
        "source": "primary",
    }
    return Operation(t_ns=ns(t), load=load, **{**fields, **more})


def failed(t: float, **more: Any) -> Operation:
    fields = {"outcome": "FAILED", "status": 500, "reason": "http_500", "source": None}
    return operation(t, **{**fields, **more})


def refused(t: float, by: str, *, status: int = 503, **more: Any) -> Operation:
    fields = {"outcome": "REJECTED", "status": status, "reason": by, "rejected_by": by}
    return operation(t, **{**fields, "source": None, **more})


def times(start: float, end: float, rate: float = 4.0) -> list[float]:
    """Return equally spaced times in [start, end)."""
    n = round((end - start) * rate)
    return [start + i / rate for i in range(n)]


def operations(start: float, end: float, *, rate: float = 4.0, **more: Any) -> list[Operation]:
    return [operation(t, **more) for t in times(start, end, rate)]


def failures(start: float, end: float, *, rate: float = 4.0, **more: Any) -> list[Operation]:
    return [failed(t, **more) for t in times(start, end, rate)]


def mixed(total: int, good: int, *, start: float = BASELINE_END, rate: float = 4.0) -> list[Record]:
    """Return `total` operations of which `good` are OK; the bad ones are spread evenly."""
    bad = total - good
    is_bad = [(i * bad) // total != ((i + 1) * bad) // total for i in range(total)]
    return [
        failed(start + i / rate) if wrong else operation(start + i / rate)
        for i, wrong in enumerate(is_bad)
    ]


def fault(
    *,
    index: int = 0,
    name: str = "down",
    target: str = "api -> db",
    start: float = BASELINE_END,
    end: float = FAULT_END,
    count: int = 3,
) -> list[Record]:
    def record(t: float, what: str, count: int = 0) -> FaultRecord:
        return FaultRecord(
            t_ns=ns(t),
            fault_id=f"{index}:{name}",
            fault=name,
            target=target,
            what=what,
            count=count,
        )

    return [record(start, "applied"), record(end, "effect", count), record(end, "healed")]


def clocks(*services: str, incarnation: str = "1", t: float = 0.0) -> list[Record]:
    return [
        ClockRecord(t_ns=ns(t), service=service, incarnation=incarnation, seq=0, wall_unix_ns=0)
        for service in services
    ]


def gap(service: str, t: float = 50.0) -> EventGap:
    return EventGap(t_ns=ns(t), service=service, incarnation="1", missing=3)


def waited(t: float, share: float, service: str = "api") -> ProcessorWait:
    """Return what a service waited for a processor in the second before an instant."""
    return ProcessorWait(t_ns=ns(t), service=service, waited_ns=ns(share), interval_ns=ns(1.0))


def stall(t: float, lag: float, service: str = "harness") -> LagSample:
    return LagSample(t_ns=ns(t), service=service, lag_ns=ns(lag))


def moves(
    *steps: tuple[float, str], name: str = "api-server", service: str = "api", reason: str = ""
) -> list[Record]:
    """Return the transitions of a breaker that starts closed: when it moved, and to what."""
    records: list[Record] = []
    state = "closed"
    for seq, (t, to_state) in enumerate(steps, start=1):
        records.append(
            BreakerTransition(
                t_ns=ns(t),
                service=service,
                incarnation="1",
                seq=seq,
                name=name,
                link=None,
                from_state=state,
                to_state=to_state,
                reason=reason or None,
            )
        )
        state = to_state
    return records


def attempt(
    t: float,
    call_id: str,
    *,
    link: Link = API_DB,
    number: int = 1,
    outcome: str = "ok",
    took: float = 0.01,
    **more: Any,
) -> Attempt:
    return Attempt(
        t_ns=ns(t + took),
        service=link.client,
        incarnation="1",
        seq=0,
        link=str(link),
        call_id=call_id,
        attempt=number,
        started_ns=ns(t),
        outcome=outcome,
        **more,
    )


def received(
    t: float,
    call_id: str,
    *,
    number: int = 1,
    status: int | None = 200,
    took: float = 0.01,
    server: str = "portal_wi",
    **more: Any,
) -> ReceivedRequest:
    path = more.pop("path", "/query")
    return ReceivedRequest(
        t_ns=ns(t + took),
        service=server,
        incarnation="1",
        seq=0,
        call_id=call_id,
        attempt=number,
        method="GET",
        path=path,
        started_ns=ns(t),
        status=status,
        **more,
    )


def call(
    t: float, call_id: str, *statuses: int | None, server: str = "portal_wi", pause: float = 0.1
) -> list[Record]:
    """Return the requests of one call, each answered with a status; 503 comes from a script."""
    return [
        received(
            t + i * pause,
            call_id,
            number=i + 1,
            status=status,
            server=server,
            scripted=None if status == 200 else "script",
        )
        for i, status in enumerate(statuses)
    ]


def connection(t: float, *, proxy: str = "api-db", number: int = 1) -> ProxyConnection:
    return ProxyConnection(t_ns=ns(t), proxy=proxy, connection=number, what="opened")


def chunk(t: float, *, proxy: str = "api-db", number: int = 1, size: int = 60) -> ProxyChunk:
    return ProxyChunk(t_ns=ns(t), proxy=proxy, connection=number, stream="upstream", bytes=size)


def item(t: float, key: str, what: str, *, incarnation: str = "1", **more: Any) -> WorkItem:
    return WorkItem(
        t_ns=ns(t),
        service="batch",
        incarnation=incarnation,
        seq=0,
        key=key,
        what=what,
        **more,
    )


def probe(t: float, *, name: str = "health", **values: Any) -> Probe:
    return Probe(
        t_ns=ns(t),
        probe=name,
        status=200,
        values={key.replace("__", "."): value for key, value in values.items()},
    )


SYSTEM = System(
    name="atlas",
    path=Path("atlas.system.yaml"),
    services=tuple(Service(name=name) for name in ("db", "api", "portal_wi", "batch")),
    links=(
        LinkSpec(link=API_DB, variable="ATLAS_DB_ADDRESS", amplification_at_most=2),
        LinkSpec(link=BATCH_WI, variable="ATLAS_PORTAL_WI_ADDRESS", amplification_at_most=3),
    ),
    breakers=(
        Breaker(
            name="api-server",
            service="api",
            links=(API_DB,),
            open_duration_s=30.0,
            failure_threshold=5,
            half_open_max_calls=3,
        ),
        Breaker(
            name="portal_wi",
            service="batch",
            links=(BATCH_WI,),
            open_duration_s=30.0,
            failure_threshold=5,
            half_open_max_calls=3,
        ),
    ),
)

DOWN = TimelineEntry(at_s=BASELINE_END, duration_s=60.0, fault=Down(link=API_DB))
BURNERS = TimelineEntry(
    at_s=BASELINE_END, duration_s=60.0, fault=CpuPressure(service="api", workers=2)
)
SCRIPTED = TimelineEntry(
    at_s=BASELINE_END, duration_s=60.0, fault=UpstreamResponse(service="portal_wi", status=503)
)
LOOKUPS = Load(name="lookups", service="api", path="/v1/lookup", rate_per_s=4.0)


def scenario(*checks: Check, timeline: Sequence[TimelineEntry] = (DOWN,), **more: Any) -> Scenario:
    fields: dict[str, Any] = {
        "name": "lookups_survive",
        "path": Path("lookups_survive.chaos.yaml"),
        "claim": "Lookups survive.",
        "system": SYSTEM,
        "loads": (LOOKUPS,),
        "settle": Settle(at_most_s=30.0, hold_s=10.0),
        "baseline_s": BASELINE_END,
        "steady_state": SteadyState(success_ratio=0.99),
    }
    return Scenario(checks=checks, timeline=tuple(timeline), **{**fields, **more})


def ask(check: Check, *parts: Record | Records, **more: Any) -> Finding:
    """Return what a check says of a history."""
    return check.judge(history(*parts), scenario(check, **more))
