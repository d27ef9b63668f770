"""The parts that every stage is made of; a stage is one toxic at work on one link.

A stage does no I/O and reads no clock. For each item that it takes it is a generator of steps: it
yields what is to happen next and is resumed with the time, in nanoseconds, at which that was done.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

NEVER_NS = 2**63 - 1
"""A due time that never comes; stages that hold data until they are interrupted wait for it."""


class Stream(StrEnum):
    """The direction of traffic that a toxic acts on."""

    UPSTREAM = "upstream"  # from the client to the server
    DOWNSTREAM = "downstream"  # from the server to the client


class Ending(StrEnum):
    """How the bytes of one direction end. Every kind travels behind the data before it."""

    FINISHED = "finished"  # the sender ended its stream, by FIN or by RST
    CLOSED = "closed"  # a toxic closed the connection: both peers see FIN
    RESET = "reset"  # a toxic reset the connection: both peers see RST


class Effect(StrEnum):
    """What a toxic did to traffic; evidence that it took hold."""

    DELAYED = "delayed"
    THROTTLED = "throttled"
    DROPPED = "dropped"
    RESET = "reset"
    HELD_CLOSE = "held_close"
    SLICED = "sliced"
    CUT = "cut"


@dataclass(slots=True)
class Chunk:
    """Bytes read in one piece.

    Args:
        content: The bytes; never empty.
        stamp_ns: When they were read. Only latency rewrites it, so that of two latency toxics the
            second counts the time spent in the first.
    """

    content: bytes
    stamp_ns: int


class Wait(NamedTuple):
    """Resume the stage at `due_ns`, or when the chain is changed."""

    due_ns: int


Item = Chunk | Ending
Step = Wait | Chunk | Ending | Effect
Steps = Generator[Step, int, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the chain has to know of a stage beside its steps.

    Args:
        queue_chunks: Chunks that may wait in front of it; 0 means hand to hand.
        idle_limit_ns: Closes the link when nothing was taken for so long; None means never.
        drops_everything: What has passed it has a hole, so the link must close when it goes.
        resets: While it acts, any end of the connection is an RST.
    """

    queue_chunks: int = 0
    idle_limit_ns: int | None = None
    drops_everything: bool = False
    resets: bool = False


@dataclass(slots=True, kw_only=True)
class Hand:
    """What a stage has taken and not passed on; read when the chain is changed meanwhile.

    Args:
        release: Leaves at once.
        again: Is taken again by whatever runs next in this place.
    """

    release: Chunk | None = None
    again: Item | None = None


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a toxic remembers of one link when its stage starts again.

    Args:
        passed_bytes: Bytes that it let pass while it acted; `limit_data` counts them.
    """

    passed_bytes: int = 0


class Stage(Protocol):
    """One toxic at work on one link."""

    traits: Traits
    hand: Hand

    def handle(self, item: Item, now_ns: int) -> Steps:
        """Yield what happens to `item`; resumed with the time after each step."""
        ...


@dataclass(slots=True)
class PassOn:
    """Let everything pass; what a toxic is on a link that its draw spared."""

    traits: Traits = field(default_factory=Traits)
    hand: Hand = field(default_factory=Hand)

    def handle(self, item: Item, now_ns: int) -> Steps:  # noqa: ARG002 - a stage is handed the time
        """Yield the item as it came."""
        yield item
