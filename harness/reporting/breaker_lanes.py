"""Which state each breaker was in, when, as its service said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.model.history import History
from harness.model.records import NS_PER_S, BreakerTransition, ProcessRecord
from harness.model.scenario import Scenario

CLOSED = "closed"
GONE = "gone"  # the process that held the breaker was not running


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A breaker was in one state; `gone` while its process was not running."""

    state: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The states of one breaker over the whole run."""

    label: str
    segments: tuple[Segment, ...]


def lanes_of(scenario: Scenario, history: History, end_s: float) -> tuple[Lane, ...]:
    """Return a lane per breaker that is known of; the breakers of broken links come first.

    A breaker of the system file that never moved is shown closed, but only if its service
    recorded anything: of a service without events nothing is known.
    """
    transitions = history.of(BreakerTransition)
    keys = {(item.service, item.link or item.name) for item in transitions}
    keys |= _declared(scenario, history)
    broken = {str(entry.fault.target) for entry in scenario.timeline}
    ordered = sorted(keys, key=lambda key: (key[1] not in broken, key))
    lanes = []
    for service, name in ordered:
        own = [t for t in transitions if t.service == service and (t.link or t.name) == name]
        lanes.append(Lane(label=name, segments=_segments(own, service, history, end_s)))
    return tuple(lanes)


def _declared(scenario: Scenario, history: History) -> set[tuple[str, str]]:
    speaking = {service for record in history if (service := getattr(record, "service", None))}
    reached = set(scenario.services())
    return {
        (breaker.service, str(link))
        for breaker in scenario.system.breakers
        for link in breaker.links
        if breaker.service in speaking and link.client == breaker.service and link.server in reached
    }


def _segments(
    transitions: Sequence[BreakerTransition], service: str, history: History, end_s: float
) -> tuple[Segment, ...]:
    changes: list[tuple[int, str]] = [(t.t_ns, t.to_state) for t in transitions]
    for record in history.of(ProcessRecord, lambda record: record.service == service):
        if record.what == "ready":
            changes.append((record.t_ns, CLOSED))
        elif record.what in ("stopped", "crashed"):
            changes.append((record.t_ns, GONE))
    first = transitions[0].from_state if transitions else CLOSED
    return _merged([(0, first), *sorted(change for change in changes if change[0] > 0)], end_s)


def _merged(changes: Sequence[tuple[int, str]], end_s: float) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    stops = [t_ns / NS_PER_S for t_ns, _ in changes[1:]] + [end_s]
    for (t_ns, state), stop_s in zip(changes, stops, strict=True):
        start_s = min(t_ns / NS_PER_S, end_s)
        if segments and segments[-1].state == state:
            segments[-1] = replace(segments[-1], end_s=min(stop_s, end_s))
        else:
            segments.append(Segment(state=state, start_s=start_s, end_s=min(stop_s, end_s)))
    return tuple(segment for segment in segments if segment.end_s > segment.start_s)
