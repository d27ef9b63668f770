"""Which state each breaker was in, when, as its service said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.model.history import History
from harness.model.records import NS_PER_S, BreakerTransition, ProcessRecord
from harness.model.scenario import Scenario

CLOSED = "closed"
_CALM_MAX = 4
_LANES_MAX = 12
_WORST_FIRST = ("open", "half_open", "gone", CLOSED)
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

    @property
    def has_moved(self) -> bool:
        """Say whether it was in more than one state."""
        return len(self.segments) > 1


def lanes_of(scenario: Scenario, history: History, end_s: float) -> tuple[Lane, ...]:
    """Return a lane per breaker: those that moved, then those of what is broken, then the rest.

    A lane is called by the link that its breaker protects, or by the breaker's name if it
    protects several. A breaker of the system file that never moved is shown closed, but only if
    its service recorded anything: of a service without events nothing is known.
    """
    transitions = history.of(BreakerTransition)
    labels = {(item.service, item.name): item.link or item.name for item in transitions}
    labels = {**_declared(scenario, history), **labels}
    broken = {str(entry.fault.target) for entry in scenario.timeline}
    touched = {key: not broken.isdisjoint({label, key[0]}) for key, label in labels.items()}
    lanes = []
    for key in sorted(labels, key=lambda key: (not touched[key], labels[key], key)):
        own = [item for item in transitions if (item.service, item.name) == key]
        label = labels[key] if list(labels.values()).count(labels[key]) == 1 else key[1]
        lanes.append(Lane(label=label, segments=_segments(own, key[0], history, end_s)))
    return tuple(sorted(lanes, key=lambda lane: not lane.has_moved))


def shown_of(lanes: Sequence[Lane]) -> tuple[tuple[Lane, ...], int]:
    """Return the lanes that are worth their place, and how many others there are.

    Those that moved are; a few that did not show what stayed calm.
    """
    moved = sum(lane.has_moved for lane in lanes)
    shown = min(max(moved, _CALM_MAX), _LANES_MAX)
    return tuple(lanes[:shown]), max(len(lanes) - shown, 0)


def condensed(lane: Lane, end_s: float, segments_max: int) -> Lane:
    """Return a lane of at most `segments_max` segments: the worst state of each stretch wins.

    A breaker that flaps for the whole run would otherwise be drawn in thousands of boxes.
    """
    if len(lane.segments) <= segments_max:
        return lane
    width_s = end_s / segments_max
    worst = [len(_WORST_FIRST)] * segments_max
    for segment in lane.segments:
        rank = _WORST_FIRST.index(segment.state) if segment.state in _WORST_FIRST else 0
        first = min(int(segment.start_s / width_s), segments_max - 1)
        last = min(int(segment.end_s / width_s), segments_max - 1)
        for index in range(first, last + 1):
            worst[index] = min(worst[index], rank)
    changes = [
        (round(index * width_s * NS_PER_S), _WORST_FIRST[rank])
        for index, rank in enumerate(worst)
        if rank < len(_WORST_FIRST)
    ]
    return replace(lane, segments=_merged(changes, end_s))


def shortened(label: str, width: int) -> str:
    """Return a label cut in its middle: breakers of one family differ at the end.

    >>> shortened("upstream-portal_wi/WI", 17)
    'upstream…al_wi/WI'
    """
    if len(label) <= width:
        return label
    head = width // 2
    return f"{label[:head]}…{label[len(label) - (width - head - 1) :]}"


def _declared(scenario: Scenario, history: History) -> dict[tuple[str, str], str]:
    """Return the labels of the breakers of the system file whose service speaks."""
    speaking = {service for record in history if (service := getattr(record, "service", None))}
    reached = scenario.services()
    found = {}
    for breaker in scenario.system.breakers:
        links = [str(link) for link in breaker.links if link.server in reached]
        if breaker.service in speaking and links:
            label = links[0] if len(breaker.links) == 1 else breaker.name
            found[breaker.service, breaker.name] = label
    return found


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
