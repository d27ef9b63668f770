"""Whether the machine had processors to spare for the system, or kept it waiting."""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from harness.checks.question import Question, seconds
from harness.checks.stalls import stalling_windows
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, ProcessorWait

SHARE_MAX = 0.5
"""Of any second that a service may wait for a processor, before what it failed at is doubted.

Measured with three runs at once on two cores: where there was other work as well, undecided runs
had a worst second of 0.86 s and more; without it 33 of 38 passed with less than 0.5 s.
"""

_WINDOW_NS = NS_PER_S


def processors_finding(history: History) -> Iterator[Finding]:
    """Yield whether no service waited too long for a processor; nothing where none was measured.

    A fault that takes the processors away on purpose is left out.
    """
    meant = stalling_windows(history)
    waits = history.of(ProcessorWait, lambda wait: not any(wait.t_ns in one for one in meant))
    if not waits:
        return
    question = Question(
        check="processors",
        expected=f"no service waits more than {SHARE_MAX:.0%} of a second for a processor",
        limit=SHARE_MAX,
        unit="ratio",
    )
    share, worst = _worst_second(waits)
    got = f"{worst.service} waited {share:.0%} of the second before {seconds(worst.t_ns):.3f} s"
    if share > SHARE_MAX:
        reason = "the processors were too busy with others to blame the system"
        yield question.undecided(reason, got, samples=len(waits), value=share)
    else:
        yield question.passed(got, samples=len(waits), value=share)


def _worst_second(waits: Sequence[ProcessorWait]) -> tuple[float, ProcessorWait]:
    """Return the largest share of a second that one service waited, and the wait that ended it."""
    latest: dict[str, deque[ProcessorWait]] = defaultdict(deque)
    found = []
    for wait in sorted(waits, key=lambda one: one.t_ns):
        window = latest[wait.service]
        window.append(wait)
        while window[0].t_ns <= wait.t_ns - _WINDOW_NS:
            window.popleft()
        waited_ns = sum(one.waited_ns for one in window)
        looked_ns = max(_WINDOW_NS, sum(one.interval_ns for one in window))
        found.append((waited_ns / looked_ns, wait))
    return max(found, key=lambda pair: pair[0])
