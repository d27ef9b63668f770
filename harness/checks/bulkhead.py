"""The check `bulkhead`: never more calls at once than the bulkhead has slots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.attempts import claimed_calls
from harness.checks.in_flight import Span, peak
from harness.checks.question import Question, seconds
from harness.checks.streams import unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import BulkheadDecision, ReceivedRequest
from harness.model.scenario import Scenario
from harness.model.system import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulkhead:
    """Compare the bulkhead's own counts, and what its upstreams had in flight, with its bounds.

    The upstreams' records count; where they show more than the bulkhead admits, its events are
    a lie. A request that the client gave up counts until the client says so, since the upstream
    may notice later. PASSED needs a bulkhead that was full at least once.
    """

    name: ClassVar[str] = "bulkhead"
    is_exact: ClassVar[bool] = True
    summary: ClassVar[str] = "concurrency and queue stay within the bulkhead's bounds"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that holds the bulkhead"))
    bulkhead: str = field(metadata=meta(Kind.TEXT, "its name in the service's events"))
    max_concurrent: int = field(metadata=meta(Kind.COUNT, "slots", minimum=1))
    max_queue: int = field(metadata=meta(Kind.COUNT, "places in the queue", minimum=0))
    link: Link | None = field(
        default=None,
        metadata=meta(
            Kind.LINK, "the link that it guards; else those of the breaker of its name, or all"
        ),
    )

    def judge(self, history: History, scenario: Scenario) -> Finding:
        """Return whether the bounds were kept, and put to the test."""
        question = self._question()
        told = history.of(
            BulkheadDecision,
            lambda record: record.service == self.service and record.name == self.bulkhead,
        )
        most, most_ns = peak(self._spans(history, scenario))
        wrong = [*self._over(told)]
        if most > self.max_concurrent:
            wrong.insert(0, (most_ns, f"{most} requests in flight at the upstream"))
        active = max((record.active for record in told), default=0)
        queued = max((record.queued for record in told), default=0)
        got = f"at most {active} active and {queued} queued, {most} in flight at its upstreams"
        if wrong:
            return question.failed(
                got,
                samples=len(told),
                value=float(max(active, most)),
                witnesses=[f"{self.bulkhead} at {seconds(t):.3f} s: {what}" for t, what in wrong],
                at_ns=wrong[0][0],
            )
        missing = unreadable(history, self.service)
        if missing or not told:
            reason = missing or f"{self.service} tells nothing of a bulkhead {self.bulkhead}"
            return question.undecided(reason, got, samples=len(told))
        if active < self.max_concurrent:
            reason = (
                f"it was never full: at most {active} of {self.max_concurrent} slots were taken"
            )
            return question.undecided(reason, got, samples=len(told), value=float(active))
        return question.passed(got, samples=len(told), value=float(max(active, most)))

    def _question(self) -> Question:
        return Question(
            check=f"{self.name}({self.service}, {self.bulkhead})",
            expected=f"at most {self.max_concurrent} at once and {self.max_queue} queued",
            needed=1,
            limit=float(self.max_concurrent),
        )

    def _over(self, told: Sequence[BulkheadDecision]) -> list[tuple[int, str]]:
        over = [
            record
            for record in told
            if record.active > self.max_concurrent or record.queued > self.max_queue
        ]
        over.sort(key=lambda record: (record.active, record.queued), reverse=True)
        return [(r.t_ns, f"{r.decision}: {r.active} active, {r.queued} queued") for r in over]

    def _links(self, scenario: Scenario) -> Sequence[Link]:
        """Return the links it guards: those of the breaker of that name, or else all."""
        if self.link is not None:
            return (self.link,)
        for breaker in scenario.system.breakers:
            if (breaker.service, breaker.name) == (self.service, self.bulkhead):
                return breaker.links
        servers = scenario.system.upstreams(self.service)
        return [Link(self.service, server) for server in servers]

    def _spans(self, history: History, scenario: Scenario) -> Iterable[Span]:
        """Yield when each request was in flight at the upstreams that the bulkhead guards."""
        for link in self._links(scenario):
            ended = {
                (said.call_id, said.attempt): said.t_ns
                for calls in claimed_calls(history, link).values()
                for said in calls
            }
            for request in history.of(ReceivedRequest):
                if request.service == link.server:
                    given_up_ns = ended.get((request.call_id, request.attempt), request.t_ns)
                    end_ns = max(request.started_ns, min(request.t_ns, given_up_ns))
                    yield Span(start_ns=request.started_ns, end_ns=end_ns)
