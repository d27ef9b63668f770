"""The check `rate_limit`: a client gets what its bucket holds, and is told when to return."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.question import Question, witness
from harness.checks.streams import unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, LimiterDecision, Operation, Outcome
from harness.model.scenario import Scenario

SAMPLES_MIN = 20  # with fewer, a burst of strangers decides about the run
_ROUNDING = 1e-6  # of one call: far below a single one, far above the error of a double
_LIMITER = "limiter"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Count what each client was let through, in every stretch of time, against its bucket.

    A bucket of `capacity` that refills at `refill` lets at most capacity + refill x w through in
    any stretch of length w. A call passed the limiter some time between its dispatch and its
    answer, so w is taken as long as it can have been: an excess is sure. A refusal tells when
    to come back (`Retry-After`); refused again after that, with nothing let through in between,
    is FAILED. The limiter's own events are a claim: fewer refusals than clients saw is FAILED.
    """

    name: ClassVar[str] = "rate_limit"
    is_exact: ClassVar[bool] = True
    summary: ClassVar[str] = "no client gets more than its bucket, and refusals say when to return"

    load: str = field(metadata=meta(Kind.LOAD, "the operations that are limited"))
    capacity: int = field(metadata=meta(Kind.COUNT, "calls that a full bucket holds", minimum=1))
    refill_per_s: float = field(metadata=meta(Kind.RATE, "calls that flow back", minimum=0.0))
    at_least_rejected: int = field(
        default=1,  # without a single refusal nothing was shown
        metadata=meta(Kind.COUNT, "operations that have to be refused", minimum=0),
    )
    needs_retry_after: bool = field(
        default=True, metadata=meta(Kind.FLAG, "whether each refusal has to say when to return")
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "with fewer operations nothing is proved", minimum=1),
    )

    def judge(self, history: History, scenario: Scenario) -> Finding:
        """Return whether the limiter limited, exactly and honestly."""
        question = self._question()
        operations = history.operations(self.load)
        refused = [op for op in operations if _is_refused(op)]
        wrong = [
            *self._excesses(operations),
            *self._dishonest(operations),
            *self._contradicted(history, scenario, refused),
        ]
        n = len(operations)
        got = f"{len(refused)} of {n} operations were refused"
        if wrong:
            return question.failed(
                f"{got}; {len(wrong)} times the limiter was not true to its bucket",
                samples=n,
                value=float(len(refused)),
                witnesses=[line for _, line in wrong],
                at_ns=wrong[0][0],
            )
        if n < self.samples:
            return question.undecided(f"only {n} of the {self.samples} operations", samples=n)
        if len(refused) >= self.at_least_rejected:
            return question.passed(got, samples=n, value=float(len(refused)))
        if not self._is_exceeded(operations):
            reason = "no client offered more than its bucket holds, so nothing had to be refused"
            return question.undecided(reason, got, samples=n, value=float(len(refused)))
        return question.failed(got, samples=n, value=float(len(refused)))

    def _question(self) -> Question:
        return Question(
            check=f"{self.name}({self.load})",
            expected=f"at most {self.capacity} + {self.refill_per_s:g}/s let through for each "
            f"client, at least {self.at_least_rejected} refused",
            needed=self.samples,
            limit=float(self.at_least_rejected),
        )

    def _excesses(self, operations: Sequence[Operation]) -> list[tuple[int, str]]:
        lines = []
        for client, calls in _by_client(operations).items():
            passed = [op for op in calls if op.status is not None and not _is_refused(op)]
            spans = [(op.started_ns, op.end_ns) for op in passed]
            excess, i, j = self._largest_excess(spans)
            if excess > _ROUNDING:
                width_s = (max(end for _, end in spans[i : j + 1]) - spans[i][0]) / NS_PER_S
                what = f"{j - i + 1} calls of {client} let through within {width_s:.3f} s"
                lines.append((spans[i][0], witness(passed[i].call_id, spans[i][0], what)))
        return lines

    def _is_exceeded(self, operations: Sequence[Operation]) -> bool:
        """Say whether some client surely asked for more than a bucket can give."""
        return any(
            self._largest_excess([(op.started_ns, op.end_ns) for op in calls])[0] >= 1.0
            for calls in _by_client(operations).values()
        )

    def _largest_excess(self, spans: Sequence[tuple[int, int]]) -> tuple[float, int, int]:
        """Return by how many calls the worst stretch exceeds the bucket, and its first and last.

        One pass suffices: the excess of calls i to j is a term of j minus a term of i.
        """
        worst, at, best_i, end_ns = -float(self.capacity), (0, 0), 0, 0
        lowest = float("inf")
        for j, (started_ns, ended_ns) in enumerate(spans):
            term = j - self.refill_per_s * started_ns / NS_PER_S
            if term < lowest:
                lowest, best_i = term, j
            end_ns = max(end_ns, ended_ns) if j else ended_ns
            excess = j + 1 - self.refill_per_s * end_ns / NS_PER_S - lowest - self.capacity
            if excess > worst:
                worst, at = excess, (best_i, j)
        return worst, *at

    def _dishonest(self, operations: Sequence[Operation]) -> list[tuple[int, str]]:
        lines = []
        for calls in _by_client(operations).values():
            due_ns: int | None = None  # from when on the next call has to pass
            for op in calls:
                if not _is_refused(op):
                    due_ns = None  # it may have used what the promise was about
                    continue
                if due_ns is not None and op.started_ns >= due_ns:
                    what = "refused again after the time that Retry-After named"
                    lines.append((op.t_ns, witness(op.call_id, op.t_ns, what)))
                if op.retry_after_s is not None:
                    due_ns = op.end_ns + round(op.retry_after_s * NS_PER_S)
                elif self.needs_retry_after:
                    lines.append((op.t_ns, witness(op.call_id, op.t_ns, "no Retry-After")))
        return lines

    def _contradicted(
        self, history: History, scenario: Scenario, refused: Sequence[Operation]
    ) -> list[tuple[int, str]]:
        """Return that clients saw more refusals than the limiter told, if it told any."""
        services = [load.service for load in scenario.loads if load.name == self.load]
        if not services or not refused or unreadable(history, services[0]):
            return []
        told = history.of(LimiterDecision, lambda record: record.service == services[0])
        rejected = sum(record.decision == "rejected" for record in told)
        if not told or rejected >= len(refused):
            return []
        at_ns = refused[0].t_ns
        what = f"clients saw {len(refused)} refusals, the limiter tells of {rejected}"
        return [(at_ns, witness(refused[0].call_id, at_ns, what))]


def _is_refused(operation: Operation) -> bool:
    return operation.outcome == Outcome.REJECTED and operation.rejected_by == _LIMITER


def _by_client(operations: Sequence[Operation]) -> dict[str, list[Operation]]:
    calls: dict[str, list[Operation]] = {}
    for op in sorted(operations, key=lambda op: op.started_ns):
        calls.setdefault(op.client, []).append(op)
    return calls
