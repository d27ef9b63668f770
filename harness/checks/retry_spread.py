"""The check `retry_spread`: calls that were turned away together do not come back together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from harness.checks.attempts import is_failure, received_calls
from harness.checks.question import Question, seconds, witness
from harness.checks.stalls import STALL_FACTOR, stalls_of
from harness.checks.streams import unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, ReceivedRequest
from harness.model.scenario import Scenario
from harness.model.system import Link

SAMPLES_MIN = 20  # what a handful of calls does is chance, spread or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A request that a call sent again.

    Args:
        call_id: The call.
        at_ns: When it began, at the server.
        provoked_ns: When the answer was given that made the call ask again; None if the server
            never saw the request before it.
    """

    call_id: str
    at_ns: int
    provoked_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySpread:
    """Count the repeated requests that begin within any stretch of `within`.

    Only the server's own record counts, the pages of one attempt once. Calls that fail at
    different times come back at different times whatever their layer does, so the samples are
    those that were turned away within one stretch, and without more of them than may come back
    in one nothing is decided.

    Raises:
        ValueError: If all samples at once would still be within the bound.
    """

    name: ClassVar[str] = "retry_spread"
    summary: ClassVar[str] = "calls that were turned away together do not come back together"

    link: Link = field(metadata=meta(Kind.LINK, "the client that repeats and the server"))
    at_most: int = field(
        metadata=meta(Kind.COUNT, "repeated requests in any stretch of `within`", minimum=1)
    )
    within_s: float = field(metadata=meta(Kind.DURATION, "length of the stretch", minimum=0.001))
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(
            Kind.COUNT, "repeated requests that were provoked within one stretch, at least"
        ),
    )

    def __post_init__(self) -> None:
        """Refuse a bound that nothing could break."""
        if self.samples <= self.at_most:
            raise ValueError(
                f"samples: expected more than at_most, which is {self.at_most}, got "
                f"{self.samples}; so few could all come back together"
            )

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether the repeated requests were spread."""
        question = self._question()
        repeats = sorted(self._repeats(history), key=lambda repeat: repeat.at_ns)
        densest = self._densest(repeats)
        herd = self._herd(repeats)
        if len(densest) > self.at_most:
            return self._crowded(question, history, densest, herd)
        missing = unreadable(history, self.link.server)
        if missing or herd < self.samples:
            reason = missing or f"only {herd} calls were turned away within {self.within_s:g} s"
            return question.undecided(reason, samples=herd, value=float(len(densest)))
        return question.passed(
            f"at most {len(densest)} of {len(repeats)} repeated requests came together",
            samples=herd,
            value=float(len(densest)),
        )

    def _question(self) -> Question:
        return Question(
            check=f"{self.name}({self.link})",
            expected=(
                f"at most {self.at_most} repeated requests at {self.link.server} "
                f"within {self.within_s:g} s"
            ),
            needed=self.samples,
            limit=float(self.at_most),
        )

    def _crowded(
        self, question: Question, history: History, densest: Sequence[Repeat], herd: int
    ) -> Finding:
        """Return what a crowd proves: requests that a stall held up begin together at its end."""
        start_ns, end_ns = densest[0].at_ns, densest[-1].at_ns
        stall_s = _held_up_s(history, densest, within_s=self.within_s)
        excused = self.at_most * (1.0 + STALL_FACTOR * stall_s / self.within_s)
        got = (
            f"{len(densest)} repeated requests began within {seconds(end_ns - start_ns):.3f} s "
            f"from {seconds(start_ns):.3f} s on"
        )
        figures = {"samples": herd, "value": float(len(densest)), "at_ns": start_ns}
        if len(densest) <= excused:
            reason = f"a stall of {stall_s:.3f} s held them up"
            return question.undecided(reason, got, is_noisy=True, **figures)
        return question.failed(got, witnesses=map(_line, densest), **figures)

    def _repeats(self, history: History) -> Iterator[Repeat]:
        for call_id, requests in received_calls(history, self.link.server).items():
            first = requests[0]
            if first.attempt > 1:
                yield Repeat(call_id=call_id, at_ns=first.started_ns, provoked_ns=None)
            for earlier, later in pairwise(requests):
                if _is_repeat(earlier, later):
                    yield Repeat(call_id=call_id, at_ns=later.started_ns, provoked_ns=earlier.t_ns)

    def _densest(self, repeats: Sequence[Repeat]) -> Sequence[Repeat]:
        """Return the repeats of the fullest stretch, the first of several."""
        first, length = self._fullest([repeat.at_ns for repeat in repeats])
        return repeats[first : first + length]

    def _herd(self, repeats: Sequence[Repeat]) -> int:
        """Return how many were turned away together; who was turned away unseen may have been."""
        known = sorted(one.provoked_ns for one in repeats if one.provoked_ns is not None)
        return self._fullest(known)[1] + len(repeats) - len(known)

    def _fullest(self, times_ns: Sequence[int]) -> tuple[int, int]:
        """Return where the fullest stretch of ordered instants begins, and how many it holds."""
        within_ns = round(self.within_s * NS_PER_S)
        fullest, last = (0, 0), 0
        for first, start_ns in enumerate(times_ns):
            while last < len(times_ns) and times_ns[last] - start_ns <= within_ns:
                last += 1
            if last - first > fullest[1]:
                fullest = (first, last - first)
        return fullest


def _is_repeat(earlier: ReceivedRequest, later: ReceivedRequest) -> bool:
    """Tell another attempt from another page; one that does not count itself is one too."""
    return later.attempt != earlier.attempt or is_failure(earlier)


def _held_up_s(history: History, crowd: Sequence[Repeat], *, within_s: float) -> float:
    """Return the longest stretch of a stall just before or in a crowd in which nobody came.

    Who sends a crowd is late because of the crowd, but not silent meanwhile.
    """
    times_ns = [repeat.at_ns for repeat in crowd]
    earliest_ns = times_ns[0] - round(within_s * NS_PER_S)
    longest_ns = 0
    for stall in stalls_of(history).samples:
        start_ns = stall.t_ns - stall.lag_ns
        if stall.t_ns < earliest_ns or start_ns > times_ns[-1]:
            continue
        inside = [at_ns for at_ns in times_ns if start_ns < at_ns < stall.t_ns]
        gaps = [b - a for a, b in pairwise([start_ns, *inside, stall.t_ns])]
        longest_ns = max(longest_ns, *gaps)
    return longest_ns / NS_PER_S


def _line(repeat: Repeat) -> str:
    return witness(repeat.call_id, repeat.at_ns, "asked again")
