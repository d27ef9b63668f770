"""Tell what reached a stand-in: one event for each request, and a summary of all of them.

A client's own count of its attempts is a claim; this is the record that it is held against.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter

from shadow_atlas.events import EventSink

CALLS_MAX = 10_000  # an hour of a busy run; older calls leave the summary, never the event file


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request that reached the stand-in.

    Args:
        call_id: The caller's identifier of the call, None if it gave none.
        attempt: The caller's number of the attempt, from 1.
        method: HTTP method.
        path: Path without the query.
        status: Status of the answer; None if none was begun before the connection ended.
        started_ns: Monotonic time of the request, nanoseconds.
        sent_bytes: Bytes of the body that were handed to the connection.
        scripted: Names of the scripts that acted on it, None if none did.
        subject: What it asked for, as the summary counts it.
    """

    call_id: str | None
    attempt: int
    method: str
    path: str
    status: int | None
    started_ns: int
    sent_bytes: int
    scripted: str | None
    subject: str


@dataclass(slots=True)
class _CallTally:
    requests: int = 0
    attempts: set[int] = field(default_factory=set)


class ReceivedRecord:
    """Record requests as events, and count them.

    Args:
        events: Where each request is recorded.
        registry: Where the counter of requests is registered.
        subjects: What requests are counted by in the summary, such as `layer`.
    """

    def __init__(
        self, events: EventSink, *, registry: CollectorRegistry, subjects: str = "layer"
    ) -> None:
        self._events = events
        self._counter = Counter(
            "stand_in_requests", "requests by status", ["status"], registry=registry
        )
        self._calls: OrderedDict[str, _CallTally] = OrderedDict()
        self._requests = 0
        self._by_status: dict[str, int] = {}
        self._subjects = subjects
        self._by_subject: dict[str, int] = {}

    def add(self, received: Received) -> None:
        """Record one request, when its answer was sent or its connection given up."""
        self._events.emit(
            "received",
            call_id=received.call_id,
            attempt=received.attempt,
            method=received.method,
            path=received.path,
            status=received.status,
            started_ns=received.started_ns,
            bytes=received.sent_bytes,
            scripted=received.scripted,
        )
        self._requests += 1
        status = "given_up" if received.status is None else str(received.status)
        self._counter.labels(status).inc()
        _count(self._by_status, status)
        _count(self._by_subject, received.subject)
        tally = self._calls.setdefault(received.call_id or "", _CallTally())
        tally.requests += 1
        tally.attempts.add(received.attempt)
        self._calls.move_to_end(received.call_id or "")
        if len(self._calls) > CALLS_MAX:
            self._calls.popitem(last=False)

    def summary(self) -> dict[str, object]:
        """Return the counts, and requests and attempt numbers for each of the newest calls."""
        return {
            "requests": self._requests,
            "by_status": dict(sorted(self._by_status.items())),
            f"by_{self._subjects}": dict(sorted(self._by_subject.items())),
            "calls": {
                call_id: {"requests": tally.requests, "attempts": sorted(tally.attempts)}
                for call_id, tally in self._calls.items()
            },
        }


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1


def attempt_number(text: str | None) -> int:
    """Read the attempt header; a caller that does not count makes first attempts only.

    >>> attempt_number("2"), attempt_number(None), attempt_number("x")
    (2, 1, 1)
    """
    if text is None or not (text.isascii() and text.isdecimal()):
        return 1
    return max(1, int(text))
