"""The check `retry_amplification`: a call does not become a storm of requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.attempts import claimed_calls, count_attempts, is_failure, received_calls
from harness.checks.question import Question, witness
from harness.checks.streams import died, unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import Attempt, ReceivedRequest
from harness.model.scenario import Scenario
from harness.model.system import Link

SAMPLES_MIN = 5  # the rule is exact; a few calls guard against a single odd one

Received = Mapping[str, Sequence[ReceivedRequest]]
Claimed = Mapping[str, Sequence[Attempt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAmplification:
    """Count the requests that reach the server for one call of the client.

    The server's own record counts, pages of one attempt once. What the client says of its
    attempts is a claim: more requests than attempts, or an attempt answered well that never
    arrived, is FAILED too. Only calls that met a failure can have been repeated, so those are
    the samples.
    """

    name: ClassVar[str] = "retry_amplification"
    is_exact: ClassVar[bool] = True
    summary: ClassVar[str] = "one call causes at most so many requests at the upstream"

    link: Link = field(metadata=meta(Kind.LINK, "the client that calls and the server that counts"))
    at_most: int | None = field(
        default=None,
        metadata=meta(
            Kind.COUNT, "requests for one call; else what the system file promises", minimum=1
        ),
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "calls that met a failure, at least", minimum=1),
    )

    def judge(self, history: History, scenario: Scenario) -> Finding:
        """Return whether every call kept to the bound."""
        bound = self._bound(scenario)
        question = self._question(bound)
        if bound is None:
            return question.undecided("neither the check nor the system file names a bound")
        received = received_calls(history, self.link.server)
        claimed = claimed_calls(history, self.link)
        counts = {call_id: count_attempts(seen) for call_id, seen in received.items()}
        largest = max(counts.values(), default=0)
        over = sorted((id_ for id_ in counts if counts[id_] > bound), key=lambda id_: -counts[id_])
        lines = [_too_many(received[call_id], counts[call_id]) for call_id in over]
        if not unreadable(history, self.link.client) and not died(history, self.link.client):
            lines += _contradicted(received, claimed)
        failed = _calls_that_failed(received, claimed)
        if lines:
            return question.failed(
                f"up to {largest} requests for one call; {len(lines)} calls break the rule or "
                "contradict the client",
                samples=failed,
                value=float(largest),
                witnesses=[line for _, line in lines],
                at_ns=lines[0][0],
            )
        missing = unreadable(history, self.link.server)
        if missing:
            return question.undecided(missing, samples=failed)
        if failed < self.samples:
            return question.undecided(
                f"only {failed} calls met a failure, so nothing had to be repeated", samples=failed
            )
        return question.passed(
            f"at most {largest} requests for one call, over {len(received)} calls",
            samples=failed,
            value=float(largest),
        )

    def _bound(self, scenario: Scenario) -> int | None:
        if self.at_most is not None:
            return self.at_most
        specs = [spec for spec in scenario.system.links if spec.link == self.link]
        return specs[0].amplification_at_most if specs else None

    def _question(self, bound: int | None) -> Question:
        promised = "the promised number of" if bound is None else f"{bound}"
        return Question(
            check=f"{self.name}({self.link})",
            expected=f"at most {promised} requests at {self.link.server} for one call",
            needed=self.samples,
            limit=None if bound is None else float(bound),
        )


def _too_many(seen: Sequence[ReceivedRequest], count: int) -> tuple[int, str]:
    answers = ", ".join("cut off" if one.status is None else str(one.status) for one in seen)
    at_ns = seen[-1].started_ns
    return at_ns, witness(seen[0].call_id, at_ns, f"{count} requests: {answers}")


def _contradicted(received: Received, claimed: Claimed) -> list[tuple[int, str]]:
    """Return where the server's record cannot be squared with what the client says.

    Fewer requests than attempts is no contradiction: a fault on the link keeps them away.
    """
    lines = []
    for call_id, said in claimed.items():
        seen = received.get(call_id, ())
        arrived = {call.attempt for call in seen}
        if count_attempts(seen) > len(said):
            at_ns = seen[-1].started_ns
            what = f"the client says {len(said)} attempts, the server saw {count_attempts(seen)}"
            lines.append((at_ns, witness(call_id, at_ns, what)))
        lost = [try_ for try_ in said if try_.outcome == "ok" and try_.attempt not in arrived]
        if received and lost:
            what = f"the client says attempt {lost[0].attempt} was ok, the server never saw it"
            lines.append((lost[0].t_ns, witness(call_id, lost[0].t_ns, what)))
    return lines


def _calls_that_failed(received: Received, claimed: Claimed) -> int:
    failed = {call_id for call_id, calls in received.items() if any(map(is_failure, calls))}
    failed |= {
        call_id for call_id, said in claimed.items() if any(try_.outcome != "ok" for try_ in said)
    }
    return len(failed)
