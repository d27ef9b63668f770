"""The records that a history is made of: one frozen value per kind of event.

Times are integer nanoseconds since the start of the run on CLOCK_MONOTONIC; they are negative for
what happened while the system was being started.
"""

from collections.abc import Mapping

from harness.model.proxy_records import (
    ProxyChunk,
    ProxyConnection,
    ProxyState,
    ToxicEffect,
)
from harness.model.run_records import (
    NS_PER_S,
    AlertReading,
    EventGap,
    FaultRecord,
    LagSample,
    Note,
    Operation,
    Outcome,
    Phase,
    PhaseName,
    Probe,
    ProcessorWait,
    ProcessRecord,
    Source,
)
from harness.model.service_records import (
    Attempt,
    BoundaryRefresh,
    BreakerTransition,
    BulkheadDecision,
    ChaosAct,
    ClockRecord,
    FallbackUse,
    LimiterDecision,
    ReceivedRequest,
    RetryExhausted,
    ServedRequest,
    WorkItem,
)

Record = (
    Phase
    | Operation
    | FaultRecord
    | BreakerTransition
    | Attempt
    | ReceivedRequest
    | ServedRequest
    | BulkheadDecision
    | LimiterDecision
    | RetryExhausted
    | FallbackUse
    | WorkItem
    | BoundaryRefresh
    | ChaosAct
    | ProxyConnection
    | ProxyChunk
    | ProxyState
    | ToxicEffect
    | Probe
    | AlertReading
    | ProcessRecord
    | ClockRecord
    | LagSample
    | ProcessorWait
    | EventGap
    | Note
)

KINDS: Mapping[str, type[Record]] = {
    kind.kind: kind
    for kind in (
        Phase,
        Operation,
        FaultRecord,
        BreakerTransition,
        Attempt,
        ReceivedRequest,
        ServedRequest,
        BulkheadDecision,
        LimiterDecision,
        RetryExhausted,
        FallbackUse,
        WorkItem,
        BoundaryRefresh,
        ChaosAct,
        ProxyConnection,
        ProxyChunk,
        ProxyState,
        ToxicEffect,
        Probe,
        AlertReading,
        ProcessRecord,
        ClockRecord,
        LagSample,
        ProcessorWait,
        EventGap,
        Note,
    )
}

__all__ = [
    "KINDS",
    "NS_PER_S",
    "AlertReading",
    "Attempt",
    "BoundaryRefresh",
    "BreakerTransition",
    "BulkheadDecision",
    "ChaosAct",
    "ClockRecord",
    "EventGap",
    "FallbackUse",
    "FaultRecord",
    "LagSample",
    "LimiterDecision",
    "Note",
    "Operation",
    "Outcome",
    "Phase",
    "PhaseName",
    "Probe",
    "ProcessRecord",
    "ProcessorWait",
    "ProxyChunk",
    "ProxyConnection",
    "ProxyState",
    "ReceivedRequest",
    "Record",
    "RetryExhausted",
    "ServedRequest",
    "Source",
    "ToxicEffect",
    "WorkItem",
]
