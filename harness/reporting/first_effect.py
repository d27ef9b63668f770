"""When a fault was first seen to act, which may be long after it was put in place."""

from collections.abc import Iterator

from harness.model.history import History, Window
from harness.model.records import (
    NS_PER_S,
    Attempt,
    ChaosAct,
    FaultRecord,
    ProcessRecord,
    ProxyState,
    ReceivedRequest,
    ToxicEffect,
)

_EARLY_NS = NS_PER_S // 2  # the proxy acts before the fault is read back, at most so long before


def first_effect_ns(history: History, fault_id: str, target: str, window: Window) -> int | None:
    """Return the first instant at which anything shows the fault; None if nothing does.

    The proxy's own records and what its target says come first. What the capability counted is
    the last resort, since it may have been written down when the fault was healed.

    Args:
        history: The whole record.
        fault_id: Id of the fault.
        target: The link or the service that it acts on.
        window: When it was in force.
    """
    wide = Window(start_ns=window.start_ns - _EARLY_NS, end_ns=window.end_ns)
    seen = min(_seen(history, target, wide), default=None)
    if seen is None:
        counted = [
            record.t_ns for record in history.of(FaultRecord) if _is_effect(record, fault_id)
        ]
        seen = min(counted, default=None)
    return None if seen is None else max(seen, window.start_ns)


def _is_effect(record: FaultRecord, fault_id: str) -> bool:
    return record.fault_id == fault_id and record.what == "effect"


def _seen(history: History, target: str, window: Window) -> Iterator[int]:
    client, _, server = target.partition(" -> ")
    if server:
        yield from _seen_on_link(history, target, f"{client}-{server}", window)
        return
    for act in history.within(ChaosAct, window):
        if act.service == target:
            yield act.t_ns
    for request in history.within(ReceivedRequest, window):
        if request.service == target and request.scripted:
            yield request.t_ns
    for process in history.within(ProcessRecord, window):
        if process.service == target and process.what in ("stopped", "crashed"):
            yield process.t_ns


def _seen_on_link(history: History, target: str, proxy: str, window: Window) -> Iterator[int]:
    for effect in history.within(ToxicEffect, window):
        if effect.proxy == proxy:
            yield effect.t_ns
    for state in history.within(ProxyState, window):
        if state.proxy == proxy and state.connections_cut:
            yield state.t_ns
    for attempt in history.within(Attempt, window):
        if attempt.link == target and attempt.outcome == "failed":
            yield attempt.t_ns
