"""What each fault was seen to do: a fault that touched nothing proves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.checks.attempts import claimed_calls, received_calls
from harness.model.history import History, Window
from harness.model.records import (
    NS_PER_S,
    Attempt,
    FaultRecord,
    Operation,
    Outcome,
    ProxyChunk,
    ProxyConnection,
    ProxyState,
    ToxicEffect,
)
from harness.model.scenario import Scenario, TimelineEntry
from harness.model.system import Link

_SLOWER_FACTOR = 2.0  # twice the median of the baseline is no noise
_SLOWER_S = 0.02  # and neither is this much more, where the baseline takes a millisecond
_REFUSING = frozenset({"down", "partition"})  # connections refused leave no record of the proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one fault.

    Args:
        count: How often it acted.
        told: The same for people.
    """

    count: int
    told: str


def effect_of(
    history: History, scenario: Scenario, entry: TimelineEntry, fault_id: str, window: Window
) -> Seen:
    """Return what a fault was seen to do: by its capability, by the proxy, or by its victims."""
    records = [
        record
        for record in history.of(FaultRecord)
        if record.fault_id == fault_id and record.what == "effect"
    ]
    counted = sum(record.count for record in records)
    if counted:
        return Seen(count=counted, told=records[-1].detail or f"acted {counted} times")
    target = entry.fault.target
    if not isinstance(target, Link):
        return Seen(count=0, told=f"touched 0 of {_operations(history, window)} operations")
    # The proxy acts before the fault is read back, so its records may stand before `applied`.
    wide = Window(start_ns=min(window.start_ns, round(entry.at_s * NS_PER_S)), end_ns=window.end_ns)
    by_proxy = _seen_by_proxy(history, target, wide)
    if by_proxy:
        return Seen(count=by_proxy, told=f"the proxy saw it act {by_proxy} times")
    by_victims = _seen_by_victims(history, scenario, entry, wide)
    if by_victims.count and not _tells_all(history, target, entry.fault.name):
        return by_victims
    return Seen(count=0, told=by_victims.told)


def _seen_by_proxy(history: History, link: Link, window: Window) -> int:
    name = f"{link.client}-{link.server}"
    toxic = sum(record.proxy == name for record in history.within(ToxicEffect, window))
    cut = sum(
        record.connections_cut
        for record in history.within(ProxyState, window)
        if record.proxy == name
    )
    return toxic + cut


def _tells_all(history: History, link: Link, fault: str) -> bool:
    """Say whether the proxy would have recorded any effect of a fault."""
    name = f"{link.client}-{link.server}"
    kinds = (ProxyConnection, ProxyChunk)
    return fault not in _REFUSING and any(
        isinstance(record, kinds) and record.proxy == name for record in history
    )


def _seen_by_victims(
    history: History, scenario: Scenario, entry: TimelineEntry, window: Window
) -> Seen:
    """Return how many attempts, or else operations, failed or took longer than in the baseline."""
    link = entry.fault.target
    if not isinstance(link, Link):
        raise TypeError(f"expected a fault on a link, got one on {link!r}")
    baseline = history.phase("baseline")
    tries = [try_ for said in claimed_calls(history, link).values() for try_ in said]
    if tries:
        spans = [_Span.of_attempt(try_) for try_ in tries]
        what = "attempts"
    else:
        loads = {load.name for load in scenario.loads if _reaches(scenario, load.service, link)}
        spans = [_Span.of_operation(op) for op in history.of(Operation) if op.load in loads]
        what = "operations"
    inside = [span for span in spans if span.touches(window)]
    healthy = [span for span in spans if baseline is not None and span.start_ns in baseline]
    # A link that is down refuses at once: what is merely slow there, something else made slow.
    touched = _failed_more(inside, healthy)
    if entry.fault.name != "down":
        touched += _slower(inside, healthy)
    seen = len(received_calls(history, link.server))
    of = f"{len(inside)} {what}" if inside else f"0 {what} ({seen} calls at {link.server})"
    return Seen(count=touched, told=f"touched {touched} of {of}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    start_ns: int
    end_ns: int
    has_failed: bool

    @classmethod
    def of_attempt(cls, attempt: Attempt) -> "_Span":
        return cls(
            start_ns=attempt.started_ns,
            end_ns=attempt.t_ns,
            has_failed=attempt.outcome == "failed",
        )

    @classmethod
    def of_operation(cls, op: Operation) -> "_Span":
        return cls(start_ns=op.t_ns, end_ns=op.end_ns, has_failed=op.outcome != Outcome.OK)

    def touches(self, window: Window) -> bool:
        return self.start_ns < window.end_ns and self.end_ns >= window.start_ns


def _failed_more(inside: Sequence[_Span], healthy: Sequence[_Span]) -> int:
    """Count those that failed, if they failed more often than the healthy ones."""
    failed = sum(span.has_failed for span in inside)
    usual = sum(span.has_failed for span in healthy) / len(healthy) if healthy else 0.0
    return failed if failed > usual * len(inside) else 0


def _slower(inside: Sequence[_Span], healthy: Sequence[_Span]) -> int:
    """Count those that took much longer, if most of them did: a stall slows only a few."""
    if not healthy:
        return 0
    usual_ns = median(span.end_ns - span.start_ns for span in healthy)
    slow_ns = max(_SLOWER_FACTOR * usual_ns, usual_ns + _SLOWER_S * NS_PER_S)
    slow = sum(not span.has_failed and span.end_ns - span.start_ns > slow_ns for span in inside)
    return slow if slow * 2 > len(inside) else 0


def _reaches(scenario: Scenario, service: str, link: Link) -> bool:
    return link.client in scenario.system.reachable((service,))


def _operations(history: History, window: Window) -> int:
    return len(history.within(Operation, window))
