"""The check `retry_spacing`: nobody asks again before the time is up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from harness.checks.attempts import is_failure, received_calls
from harness.checks.question import Question, witness
from harness.checks.stalls import EARLY_S
from harness.checks.streams import unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, ReceivedRequest
from harness.model.scenario import Scenario
from harness.model.system import Link

SAMPLES_MIN = 5  # the rule is exact; a few pauses guard against a single odd one


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySpacing:
    """Measure the pause between a bad answer and the next request of the same call.

    Both instants stand in the server's own record, and the client learns of an answer after the
    server wrote of it, so a pause that looks too short was shorter still. Only bad answers that
    the server really gave count: of a request that was given up it learns late.
    """

    name: ClassVar[str] = "retry_spacing"
    is_exact: ClassVar[bool] = True
    summary: ClassVar[str] = "a call waits long enough after a bad answer before it asks again"

    link: Link = field(metadata=meta(Kind.LINK, "the client that waits and the server"))
    at_least_s: float = field(
        metadata=meta(Kind.DURATION, "shortest pause after a bad answer", minimum=0.001)
    )
    status: int | None = field(
        default=None,
        metadata=meta(
            Kind.COUNT, "only after answers with this status; else after any that is retryable"
        ),
    )
    path: str | None = field(
        default=None, metadata=meta(Kind.TEXT, "only requests whose path begins like this")
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "pauses, at least", minimum=1),
    )

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether every pause was long enough."""
        question = self._question()
        pauses = sorted(self._pauses(history))
        shortest_s = pauses[0][0] if pauses else None
        short = [item for item in pauses if item[0] < self.at_least_s - EARLY_S]
        if short:
            return question.failed(
                f"{len(short)} of {len(pauses)} pauses were too short, the shortest "
                f"{shortest_s:.3f} s",
                samples=len(pauses),
                value=shortest_s,
                witnesses=[line for _, _, line in short],
                at_ns=short[0][1],
            )
        missing = unreadable(history, self.link.server)
        if missing or shortest_s is None or len(pauses) < self.samples:
            reason = missing or f"only {len(pauses)} calls asked again after a bad answer"
            return question.undecided(reason, samples=len(pauses), value=shortest_s)
        return question.passed(
            f"the shortest of {len(pauses)} pauses took {shortest_s:.3f} s",
            samples=len(pauses),
            value=shortest_s,
        )

    def _question(self) -> Question:
        answer = "a bad answer" if self.status is None else f"an answer {self.status}"
        path = "" if self.path is None else f" to {self.path}"
        return Question(
            check=f"{self.name}({self.link}{path})",
            expected=f"at least {self.at_least_s:g} s from {answer} to the next request",
            needed=self.samples,
            limit=self.at_least_s,
            unit="s",
        )

    def _pauses(self, history: History) -> Iterator[tuple[float, int, str]]:
        """Yield length in seconds, end and a line of evidence of each pause."""
        for call_id, requests in received_calls(history, self.link.server).items():
            for earlier, later in pairwise(requests):
                if self._calls_for_pause(earlier):
                    pause_s = (later.started_ns - earlier.t_ns) / NS_PER_S
                    what = f"asked again {pause_s:.3f} s after a {earlier.status}"
                    yield pause_s, later.started_ns, witness(call_id, later.started_ns, what)

    def _calls_for_pause(self, request: ReceivedRequest) -> bool:
        if request.status is None or not request.path.startswith(self.path or ""):
            return False
        return is_failure(request) if self.status is None else request.status == self.status
