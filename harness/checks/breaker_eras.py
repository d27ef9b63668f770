"""The states that a breaker says it was in, as stretches of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.model.history import History
from harness.model.records import BreakerTransition, ClockRecord
from harness.model.system import Breaker, Link, System

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"

_LEGAL = frozenset(
    {(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED), (HALF_OPEN, OPEN)},
)
_BY_HAND = ("reset", "force")  # an operator may move a breaker anywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing that a breaker did and should not have done.

    Args:
        t_ns: When.
        what: A line of evidence.
        is_sure: False if a measured stall, or the end of the run, may explain it.
    """

    t_ns: int
    what: str
    is_sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """A breaker was in one state from `start_ns` until `end_ns`.

    Args:
        start_ns: When it entered the state.
        end_ns: When it left it, its process ended, or the run did.
        is_left: Whether it left the state itself, and not by hand.
    """

    start_ns: int
    end_ns: int
    is_left: bool

    @property
    def duration_ns(self) -> int:
        """Return how long it lasted."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Everything that one breaker of one process says of itself.

    Args:
        incarnation: The process.
        links: The links that it protects.
        moves: Its transitions, in order.
        end_ns: When its process ended, or the run did.
        is_last: Whether the run ended with this process.
    """

    incarnation: str
    links: tuple[Link, ...]
    moves: tuple[BreakerTransition, ...]
    end_ns: int
    is_last: bool

    def eras(self, state: str) -> list[Era]:
        """Return when it was in a state that it had entered by a transition."""
        ends = [(move.t_ns, not _is_by_hand(move)) for move in self.moves[1:]]
        ends.append((self.end_ns, False))
        return [
            Era(start_ns=move.t_ns, end_ns=end_ns, is_left=is_left)
            for move, (end_ns, is_left) in zip(self.moves, ends, strict=True)
            if move.to_state == state
        ]

    def illegal_moves(self) -> Iterator[Complaint]:
        """Yield the transitions that no sound breaker makes."""
        for move in self.moves:
            pair = (move.from_state, move.to_state)
            if pair not in _LEGAL and not _is_by_hand(move):
                yield Complaint(t_ns=move.t_ns, what=f"moved from {pair[0]} to {pair[1]}")
        if self.moves and self.moves[0].from_state != CLOSED:
            what = f"its first move started from {self.moves[0].from_state}, not closed"
            yield Complaint(t_ns=self.moves[0].t_ns, what=what)
        for move, following in pairwise(self.moves):
            if following.from_state != move.to_state:
                what = f"was {move.to_state}, yet moved from {following.from_state}"
                yield Complaint(t_ns=following.t_ns, what=what)


def lives_of(history: History, breaker: Breaker) -> list[Life]:
    """Return the lives of a breaker: one for each process and each link that it tells apart."""
    told: dict[tuple[str, str], list[BreakerTransition]] = {}
    for move in history.of(BreakerTransition):
        if move.service == breaker.service and move.name == breaker.name:
            told.setdefault((move.incarnation, move.link or ""), []).append(move)
    run = history.run_window()
    end_ns = run.end_ns if run else max((record.t_ns for record in history), default=0)
    lives = []
    for (incarnation, link), moves in told.items():
        moves.sort(key=lambda move: (move.t_ns, move.seq))
        died_ns = _successor_ns(history, breaker.service, incarnation, moves[0].t_ns)
        lives.append(
            Life(
                incarnation=incarnation,
                links=(Link.parse(link),) if link else breaker.links,
                moves=tuple(moves),
                end_ns=end_ns if died_ns is None else died_ns,
                is_last=died_ns is None,
            )
        )
    return lives


def siblings_of(system: System, breaker: Breaker) -> tuple[Breaker, ...]:
    """Return the other breakers of a service that share exactly the links of one.

    Such as one for each state that the same portal serves: a request on their link may have
    passed any of them. A breaker with more links, or with fewer, is another layer of the same
    calls, and shares nothing.
    """
    return tuple(
        other
        for other in system.breakers
        if other.name != breaker.name
        and other.service == breaker.service
        and set(other.links) == set(breaker.links)
    )


def _successor_ns(history: History, service: str, incarnation: str, since_ns: int) -> int | None:
    """Return when the next process of a service began to write; None if there was none."""
    clocks: Sequence[ClockRecord] = history.of(
        ClockRecord,
        lambda record: (
            record.service == service
            and record.incarnation != incarnation
            and record.t_ns > since_ns
        ),
    )
    return clocks[0].t_ns if clocks else None


def _is_by_hand(move: BreakerTransition) -> bool:
    return any(word in (move.reason or "") for word in _BY_HAND)
