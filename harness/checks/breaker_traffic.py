"""What reached the upstream while a breaker said that it was open or half-open."""

from collections.abc import Iterator, Sequence

from harness.checks.attempts import claimed_calls, received_calls
from harness.checks.breaker_eras import HALF_OPEN, OPEN, Complaint, Era, Life
from harness.checks.in_flight import Span, peak
from harness.checks.question import witness
from harness.checks.streams import has_events
from harness.model.history import History, Window
from harness.model.records import (
    BulkheadDecision,
    Operation,
    ProxyChunk,
    ProxyConnection,
    ServedRequest,
)
from harness.model.system import Breaker, Link

_EARLY_NS = 2_000_000  # the event of a move is written just before the call that it admits
_GRACE_NS = 100_000_000  # for bytes of calls that were under way; they carry no call id
_BURST_NS = 50_000_000  # bytes closer together belong to one exchange
_GOODBYE_BYTES = 5  # closing a PostgreSQL connection sends so many and asks for nothing
_UPKEEP_MAX = 3  # exchanges that a pool may make for itself in one open time


class Traffic:
    """The records of a breaker's links, prepared for the questions about it.

    Args:
        history: The run.
        breaker: The breaker.
        siblings: The lives of each breaker that shares its links. Nothing tells whose a request
            is, so it has to be kept back only while all of them are open, and probes cannot be
            counted.
        path: Beginning of the path of the breaker's own requests, which tells them apart.
    """

    def __init__(
        self,
        history: History,
        breaker: Breaker,
        *,
        siblings: Sequence[Sequence[Life]] = (),
        path: str | None = None,
    ) -> None:
        service = breaker.service
        self._history = history
        self._service = service
        self._siblings = () if path else siblings
        self._path = path or ""
        self._known_ns: dict[str, int] = {}  # since when a call is known to exist
        for operation in history.of(Operation):
            self._know(operation.call_id, operation.started_ns)
        for request in history.of(ServedRequest, lambda record: record.service == service):
            self._know(request.call_id, request.started_ns)

    def missing(self, links: Sequence[Link]) -> str:
        """Return which record of a link is missing; empty if each has one."""
        for link in links:
            if not has_events(self._history, link.server) and not self._is_proxied(link):
                return f"neither {link.server} nor a proxy of {link} recorded what reached it"
        return ""

    def while_open(self, life: Life) -> Iterator[Complaint]:
        """Yield the requests that reached an upstream although nothing was to pass."""
        for link in life.links:
            for era in life.eras(OPEN):
                if has_events(self._history, link.server):
                    yield from self._requests(link, era)
                else:
                    yield from self._exchanges(link, era)

    def while_half_open(self, life: Life, at_most: int) -> Iterator[Complaint]:
        """Yield the half-open stretches in which more than `at_most` probes were in flight."""
        for era in life.eras(HALF_OPEN) if not self._siblings else ():
            spans = [span for link in life.links for span in self._probes(link, era)]
            most, at_ns = peak(spans)
            if most > at_most:
                what = f"{most} probes in flight while half-open, {at_most} are allowed"
                yield Complaint(t_ns=at_ns, what=what)

    def _know(self, call_id: str, t_ns: int) -> None:
        self._known_ns[call_id] = min(t_ns, self._known_ns.get(call_id, t_ns))

    def _is_proxied(self, link: Link) -> bool:
        name = _proxy(link)
        history = self._history
        return any(record.proxy == name for record in history.of(ProxyConnection)) or any(
            record.proxy == name for record in history.of(ProxyChunk)
        )

    def _since_ns(self, link: Link) -> dict[str, int]:
        """Return since when each call on a link is known: the earliest of all that saw it."""
        known = dict(self._known_ns)
        for call_id, said in claimed_calls(self._history, link).items():
            known[call_id] = min(said[0].started_ns, known.get(call_id, said[0].started_ns))
        for call_id, seen in received_calls(self._history, link.server).items():
            known[call_id] = min(seen[0].started_ns, known.get(call_id, seen[0].started_ns))
        return known

    def _requests(self, link: Link, era: Era) -> Iterator[Complaint]:
        """Yield requests of calls that began while the breaker was open.

        A call that the breaker had let in before may still wait for a slot of the bulkhead, so
        as many as were queued at that moment may come late.
        """
        known = self._since_ns(link)
        late = [
            request
            for calls in received_calls(self._history, link.server).values()
            for request in calls
            if era.start_ns <= request.started_ns < era.end_ns - _EARLY_NS
            and known[request.call_id] >= era.start_ns
            and request.path.startswith(self._path)
            and self._is_kept_back(request.started_ns)
        ]
        late.sort(key=lambda request: request.started_ns)
        for request in late[self._queued_at(era.start_ns) :]:
            what = f"reached {link.server} while the breaker was open"
            line = witness(request.call_id, request.started_ns, what)
            yield Complaint(t_ns=request.started_ns, what=line)

    def _is_kept_back(self, t_ns: int) -> bool:
        """Say whether every breaker that shares the links was open at an instant."""
        return all(
            any(era.start_ns <= t_ns < era.end_ns for life in lives for era in life.eras(OPEN))
            for lives in self._siblings
        )

    def _queued_at(self, t_ns: int) -> int:
        queued: dict[str, int] = {}
        for record in self._history.of(BulkheadDecision):
            if record.service == self._service and record.t_ns <= t_ns:
                queued[record.name] = record.queued
        return sum(queued.values())

    def _exchanges(self, link: Link, era: Era) -> Iterator[Complaint]:
        """Yield bytes that no call explains, if there are more than the upkeep of a pool takes."""
        window = Window(start_ns=era.start_ns + _GRACE_NS, end_ns=era.end_ns - _EARLY_NS)
        known = self._since_ns(link)
        explained = [
            Window(start_ns=said.started_ns, end_ns=said.t_ns + _GRACE_NS)
            for call_id, calls in claimed_calls(self._history, link).items()
            for said in calls
            if known[call_id] < era.start_ns
        ]
        last: dict[int, int] = {}
        exchanges = []
        for chunk in self._history.within(ProxyChunk, window):
            if chunk.proxy != _proxy(link) or chunk.stream != "upstream":
                continue
            is_new = chunk.t_ns - last.get(chunk.connection, -_BURST_NS) >= _BURST_NS
            last[chunk.connection] = chunk.t_ns
            is_explained = any(chunk.t_ns in stretch for stretch in explained)
            if not is_new or is_explained or chunk.bytes <= _GOODBYE_BYTES:
                continue
            if self._is_kept_back(chunk.t_ns):
                exchanges.append(chunk)
        if len(exchanges) <= _UPKEEP_MAX + self._queued_at(era.start_ns):
            return
        for chunk in exchanges:
            name = f"connection {chunk.connection} of {link}"
            line = witness(name, chunk.t_ns, f"{chunk.bytes} bytes while the breaker was open")
            yield Complaint(t_ns=chunk.t_ns, what=line)

    def _probes(self, link: Link, era: Era) -> list[Span]:
        """Return when each call that half-open let in was at the upstream.

        A request that the client gave up ends when the client says so: the upstream may notice
        later. Without a record of the upstream, the client's own attempts have to do.
        """
        known = self._since_ns(link)
        claimed = claimed_calls(self._history, link)
        ended = {(s.call_id, s.attempt): s.t_ns for said in claimed.values() for s in said}
        received = {
            call_id: [request for request in seen if request.path.startswith(self._path)]
            for call_id, seen in received_calls(self._history, link.server).items()
        }
        return [
            Span(
                start_ns=call.started_ns,
                end_ns=max(
                    call.started_ns, min(call.t_ns, ended.get((call_id, call.attempt), call.t_ns))
                ),
            )
            for call_id, found in (received or claimed).items()
            for call in found
            if era.start_ns - _EARLY_NS <= call.started_ns < era.end_ns
            and known[call_id] >= era.start_ns - _GRACE_NS
        ]


def _proxy(link: Link) -> str:
    return f"{link.client}-{link.server}"
