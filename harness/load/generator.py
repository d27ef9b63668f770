"""Drive the load of a run from the harness: let it go, watch it, stop it."""

from bisect import bisect_left
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.clock import Clock
from harness.load.lateness import NOTE_NAME
from harness.load.operation_tail import OperationTail
from harness.load.plan import LoadPlan
from harness.load.process import LoadProcess, running
from harness.model.errors import LoadBroke
from harness.model.records import NS_PER_S, Note, Operation, Outcome

READY_WITHIN_S = 20.0  # 0.3 s on an idle machine; a loaded one needs several times as long
_END_WITHIN_S = 5.0  # beyond the operations' patience: writing a note and leaving takes 0.1 s
_POLL_S = 0.02  # what a phase may last too long; a poll reads a few new lines


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCounters:
    """How the load goes, for people who wait.

    Args:
        ended: Operations whose outcome is known.
        not_ok: Those among them that were not OK.
        window_ended: Operations that ended within the last window.
        window_not_ok: Those among them that were not OK.
    """

    ended: int
    not_ok: int
    window_ended: int
    window_not_ok: int


class LoadGenerator:
    """The load of one run, offered by a process of its own.

    Entering starts the process and returns when it is warm; `start` lets it go. Leaving ends it
    with whatever is in flight: call `stop` first to have every outcome.

    Args:
        plan: What to offer.
        path: Where the process appends its records.
        environment: All environment variables of the process, the run's marker among them.
        clock: Paces the waiting here.
        ready_within_s: Bound for the warm-up, real seconds.
    """

    def __init__(
        self,
        plan: LoadPlan,
        *,
        path: Path,
        environment: Mapping[str, str],
        clock: Clock,
        ready_within_s: float = READY_WITHIN_S,
    ) -> None:
        self._plan = plan
        self._path = path
        self._environment = environment
        self._clock = clock
        self._ready_within_s = ready_within_s
        self._intended_ns = [arrival.at_ns for arrival in plan.arrivals]
        self._tail = OperationTail(path)
        self._stack = AsyncExitStack()
        self._running: LoadProcess | None = None
        self._is_started = False

    @property
    def path(self) -> Path:
        """Return the file that the process writes."""
        return self._path

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Say whether all that was offered has ended and the closing note has been read."""
        return any(isinstance(r, Note) and r.name == NOTE_NAME for r in self._tail.others)

    async def __aenter__(self) -> Self:
        """Start the process, hand over the plan and wait until it is warm.

        Raises:
            LoadBroke: If it does not get ready in time, or cannot reach a service.
        """
        async with AsyncExitStack() as stack:
            self._running = await stack.enter_async_context(running(self._path, self._environment))
            await self._running.hand_over(self._plan, within_s=self._ready_within_s)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process; after this it does not exist, whatever happened."""
        await self._stack.aclose()

    def start(self, t0_ns: int) -> None:
        """Let the load go: an arrival at `at_ns` is dispatched at `t0_ns + at_ns`.

        Args:
            t0_ns: CLOCK_MONOTONIC at the start of the run; 20 ms ahead of now is enough.
        """
        self._is_started = True
        self._process.order({"t0_ns": t0_ns})

    async def wait_until_ended(self, intended_before_ns: int, bound_s: float) -> bool:
        """Wait until all operations intended before an instant ended; False after `bound_s`.

        Args:
            intended_before_ns: Instant, ns since the start of the run.
            bound_s: Longest wait, real seconds.

        Raises:
            LoadBroke: If the process died.
        """
        expected = bisect_left(self._intended_ns, intended_before_ns)
        give_up_ns = self._clock.now_ns() + round(bound_s * NS_PER_S)
        seen = ended = 0
        while True:
            self.check_alive()
            new = self._tail.operations[seen:]
            seen += len(new)
            ended += sum(operation.t_ns < intended_before_ns for operation in new)
            if ended >= expected or self.has_ended:
                return True
            if self._clock.now_ns() >= give_up_ns:
                return False
            await self._clock.sleep(_POLL_S)

    async def stop(self) -> None:
        """Offer nothing more and wait until all operations ended, bounded by their patience.

        Raises:
            LoadBroke: If the process died, or did not end within the bound.
        """
        if not self._is_started:
            await self._process.kill()
            return
        self._process.order({"stop": True})
        await self._process.wait(bound_s=self._plan.patience_max_s + _END_WITHIN_S)
        self.check_alive()

    def check_alive(self) -> None:
        """Read what is new; raise `LoadBroke` if the process died before its load ended."""
        has_died = not self._process.is_alive  # asked first: what is read next is then all
        self._tail.read()
        if has_died and self._is_started and not self.has_ended:
            raise LoadBroke(
                f"the load process died after {len(self._tail.operations)} "
                f"of {len(self._plan.arrivals)} operations{self._process.errors()}"
            )

    def operations(self, *, since_ns: int | None = None) -> list[Operation]:
        """Return the operations that ended so far, in the order in which they ended.

        Args:
            since_ns: Only those that ended at or after this instant, ns since the start of the
                run, which all intended since then did; cheap however long the run already is.

        Raises:
            LoadBroke: If the process died.
        """
        self.check_alive()
        ended = self._tail.operations
        return ended[self._first_since(since_ns) :] if since_ns is not None else list(ended)

    def counters(self, *, window_s: float = 5.0) -> LoadCounters:
        """Return the counts so far.

        Args:
            window_s: Length of the window, seconds back from the newest end.

        Raises:
            LoadBroke: If the process died.
        """
        self.check_alive()
        ended = self._tail.operations
        newest_ns = ended[-1].end_ns if ended else 0
        window = ended[self._first_since(newest_ns - round(window_s * NS_PER_S)) :]
        return LoadCounters(
            ended=len(ended),
            not_ok=self._tail.not_ok,
            window_ended=len(window),
            window_not_ok=sum(operation.outcome != Outcome.OK for operation in window),
        )

    def _first_since(self, end_ns: int) -> int:
        """Return the index of the first operation that ended at `end_ns` or later."""
        return bisect_left(self._tail.operations, end_ns, key=lambda operation: operation.end_ns)

    @property
    def _process(self) -> LoadProcess:
        if self._running is None:
            raise RuntimeError("the load process is started by entering the context")
        return self._running
