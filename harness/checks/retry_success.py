"""The check `retry_success`: each call is tried as often as it needs, and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from harness.checks.attempts import is_failure, is_success, received_calls
from harness.checks.question import Question, witness
from harness.checks.streams import unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History, Window
from harness.model.records import (
    NS_PER_S,
    ChaosAct,
    FaultRecord,
    Operation,
    Outcome,
    ReceivedRequest,
    Source,
)
from harness.model.scenario import Scenario
from harness.model.system import Link

SAMPLES_MIN = 5  # the rule is exact: one call exposes a wrong count, a few guard against oddities
PAUSE_S = 5.0  # the longest back-off of the reference layer
_IN_PROCESS_FAILURES = frozenset({"network_failure", "timeout"})
_SPARES_CALLS = frozenset({"upstream_response", "in_process"})  # they spoil attempts by plan


class _Answer(Enum):
    GOOD = "good"
    BAD = "bad"  # a sound layer tries again
    UNCLEAR = "unclear"  # whether to try again is the layer's choice


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    t_ns: int
    answer: _Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySuccess:
    """Replay each call against the attempts that the faults spoiled.

    With n attempts, a call goes on until one is good or n were bad, and succeeds if and only if
    one was good. Which were spoiled stands in the upstream's record (and in the service's for
    faults inside it), so chance plays no part. A call counts as a sample if at least n - 1 of
    its attempts were bad: only those tell n from n - 1. Calls that another fault may have cut,
    and those still between two attempts when the run ended, are left out.
    """

    name: ClassVar[str] = "retry_success"
    summary: ClassVar[str] = (
        "each call uses as many attempts as it needs, and succeeds if one is good"
    )

    link: Link = field(metadata=meta(Kind.LINK, "the client that retries and the server"))
    attempts: int = field(
        metadata=meta(Kind.COUNT, "attempts of a call, the first one included", minimum=1)
    )
    load: str | None = field(
        default=None,
        metadata=meta(Kind.LOAD, "only calls of this load, all for this server; else every call"),
    )
    pause_s: float = field(
        default=PAUSE_S,
        metadata=meta(Kind.DURATION, "longest pause between two attempts", minimum=0.0),
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "calls whose last attempt mattered, at least", minimum=1),
    )

    def judge(self, history: History, scenario: Scenario) -> Finding:
        """Return whether each call was tried as it had to be."""
        question = Question(
            check=f"{self.name}({self.link})",
            expected=f"each call goes on until an attempt is good or {self.attempts} were bad",
            needed=self.samples,
            limit=float(self.attempts),
        )
        operations = {op.call_id: op for op in history.operations(self.load)}
        calls = self._calls(history, operations, scenario)
        wrong = [
            (tries[-1].t_ns, witness(call_id, tries[-1].t_ns, why))
            for call_id, tries in calls.items()
            if (why := self._why_wrong(tries, operations.get(call_id)))
        ]
        telling = sum(_bad(tries) >= self.attempts - 1 for tries in calls.values())
        if wrong:
            return question.failed(
                f"{len(wrong)} of {len(calls)} calls were not tried as they had to be",
                samples=len(calls),
                value=float(max(map(_bad, calls.values()))),
                witnesses=[line for _, line in wrong],
                at_ns=wrong[0][0],
            )
        missing = self._missing(history)
        if missing:
            return question.undecided(missing, samples=telling)
        if telling < self.samples:
            reason = (
                f"only {telling} calls met {self.attempts - 1} bad attempts, "
                f"it needs {self.samples}"
            )
            return question.undecided(reason, samples=telling)
        return question.passed(f"all {len(calls)} calls did", samples=telling)

    def _missing(self, history: History) -> str:
        has_acts = any(act.service == self.link.client for act in history.of(ChaosAct))
        return unreadable(history, self.link.client if has_acts else self.link.server)

    def _calls(
        self, history: History, operations: Mapping[str, Operation], scenario: Scenario
    ) -> dict[str, list[_Try]]:
        """Return the tries of each call that can be judged, in order of their end."""
        received = received_calls(history, self.link.server)
        # A fault inside the service does not say which upstream the call was for.
        is_sure = self.load is not None or scenario.system.upstreams(self.link.client) == (
            self.link.server,
        )
        tries = {id_: [_received(request) for request in seen] for id_, seen in received.items()}
        for act in history.of(ChaosAct, lambda act: act.service == self.link.client):
            if act.call_id is not None and (is_sure or act.call_id in received):
                tries.setdefault(act.call_id, []).append(_acted(act))
        if not received:  # a server without a record: the client's answer tells the last attempt
            for call_id, seen in tries.items():
                seen.extend(_answered(operations.get(call_id)))
        disturbed = self._disturbed(history)
        return {
            call_id: sorted(seen, key=lambda item: item.t_ns)
            for call_id, seen in tries.items()
            if (self.load is None or call_id in operations)
            and not self._is_left_out(seen, operations.get(call_id), disturbed)
        }

    def _disturbed(self, history: History) -> list[Window]:
        """Return when another fault, or the end of the run, may have cut a call."""
        targets = {str(self.link), self.link.client, self.link.server}
        forces = history.fault_windows()
        windows = [
            forces[record.fault_id]
            for record in history.of(FaultRecord)
            if record.fault_id in forces
            and record.target in targets
            and record.fault not in _SPARES_CALLS
        ]
        run = history.run_window()
        if run is not None:
            pause_ns = round(self.pause_s * NS_PER_S)
            windows.append(Window(start_ns=run.end_ns - pause_ns, end_ns=run.end_ns + pause_ns))
        return windows

    def _is_left_out(
        self, tries: Sequence[_Try], operation: Operation | None, disturbed: Sequence[Window]
    ) -> bool:
        if any(item.answer is _Answer.UNCLEAR for item in tries):
            return True
        if operation is not None and operation.outcome == Outcome.REJECTED:
            return True  # a local refusal ends a call, whatever its attempts
        start_ns = min(item.t_ns for item in tries)
        end_ns = max(item.t_ns for item in tries) + round(self.pause_s * NS_PER_S)
        is_over = max(tries, key=lambda item: item.t_ns).answer is _Answer.GOOD
        return not is_over and any(
            start_ns < window.end_ns and end_ns >= window.start_ns for window in disturbed
        )

    def _why_wrong(self, tries: Sequence[_Try], operation: Operation | None) -> str:
        bad, is_good = _bad(tries), tries[-1].answer is _Answer.GOOD
        if bad > self.attempts or (bad == self.attempts and is_good):
            return f"{bad} bad attempts and went on, after {self.attempts} it had to give up"
        if bad < self.attempts and not is_good:
            return f"gave up after {bad} bad attempts, {self.attempts} were allowed"
        if operation is None:
            return ""
        if is_good and operation.outcome == Outcome.FAILED:
            return f"its last attempt was good, yet the client saw {operation.reason}"
        is_primary = operation.source == Source.PRIMARY
        if not is_good and operation.outcome == Outcome.OK and is_primary:
            return "all attempts were bad, yet the client got an answer that calls itself primary"
        return ""


def _bad(tries: Sequence[_Try]) -> int:
    return sum(item.answer is _Answer.BAD for item in tries)


def _received(request: ReceivedRequest) -> _Try:
    answer = _Answer.UNCLEAR
    if is_failure(request):
        answer = _Answer.BAD
    elif is_success(request):
        answer = _Answer.GOOD
    return _Try(t_ns=request.t_ns, answer=answer)


def _acted(act: ChaosAct) -> _Try:
    is_failure_ = act.fault in _IN_PROCESS_FAILURES
    return _Try(t_ns=act.t_ns, answer=_Answer.BAD if is_failure_ else _Answer.UNCLEAR)


def _answered(operation: Operation | None) -> list[_Try]:
    is_good = (
        operation is not None
        and operation.outcome == Outcome.OK
        and operation.source in {None, Source.PRIMARY}
    )
    return [_Try(t_ns=operation.end_ns, answer=_Answer.GOOD)] if operation and is_good else []
