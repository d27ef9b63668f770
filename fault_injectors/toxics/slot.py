"""One place in the chain of a link: a toxic, its stage, and what waits in front and behind."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol, assert_never

from fault_injectors.toxics.chance import Chance, draw_toxicity, float32
from fault_injectors.toxics.stage import (
    NEVER_NS,
    Chunk,
    Effect,
    Ending,
    Item,
    Memory,
    PassOn,
    Stage,
    Step,
    Steps,
    Traits,
    Wait,
)
from fault_injectors.toxics.toxic import Toxic

SPARED = Traits()


class Observer(Protocol):
    """Be told what chance decided and what toxics did; must not change the chain."""

    def drawn(self, toxic: str, value: float, *, acts: bool) -> None:
        """Take note of a draw: the toxic acts on this link if `acts`."""
        ...

    def acted(self, toxic: str, effect: Effect) -> None:
        """Take note that a toxic changed what traffic did."""
        ...


class Slot:
    """Drive one stage: idle, waiting, handing over or closed.

    Without a toxic it is the place in front of all toxics, which passes everything on.
    """

    __slots__ = (
        "_chance",
        "_due_ns",
        "_item",
        "_kept_bytes",
        "_memory",
        "_observer",
        "_restarts",
        "_stage",
        "_steps",
        "dropped_bytes",
        "inbox",
        "is_closed",
        "is_sealed",
        "outbox",
        "toxic",
    )

    def __init__(self, toxic: Toxic | None, *, chance: Chance, observer: Observer) -> None:
        self.toxic = toxic
        self.inbox: deque[Item] = deque()
        self.outbox: deque[Item] = deque()
        self.is_sealed = False  # an end was put in: nothing can follow it
        self.is_closed = False  # an end was put out
        self.dropped_bytes = 0
        self._chance = chance
        self._observer = observer
        self._due_ns = NEVER_NS
        self._memory = Memory()
        self._restarts = 0
        self._stage: Stage = PassOn(traits=SPARED)
        self._item: Item | None = None
        self._kept_bytes = 0  # of the item in hand, what was put out
        self._steps: Steps | None = None

    @property
    def due_ns(self) -> int:
        """Return when the stage has something to do by itself."""
        return NEVER_NS if self.outbox or self.is_closed else self._due_ns

    @property
    def resets(self) -> bool:
        """Return whether any end of the connection is an RST while this toxic acts."""
        return self._stage.traits.resets

    @property
    def drops_everything(self) -> bool:
        """Return whether the stream has a hole where this toxic acted."""
        return self._stage.traits.drops_everything

    def start(self, now_ns: int) -> None:
        """Draw whether the toxic acts on this link, and wait for input."""
        self._stage = self._drawn_stage()
        self._rest(now_ns)

    def accepts(self, item: Item) -> bool:
        """Return whether the place before this one may hand over now."""
        if self.is_sealed:
            return False
        if isinstance(item, Ending) or len(self.inbox) < self._stage.traits.queue_chunks:
            return True
        return self._steps is None and not self.inbox and not self.outbox

    def put(self, item: Item) -> None:
        """Take an item into the queue, even beyond its capacity; after an end it is lost."""
        if self.is_sealed:
            self.dropped_bytes += size_bytes(item)
            return
        self.is_sealed = isinstance(item, Ending)
        self.inbox.append(item)

    def run(self, now_ns: int) -> bool:
        """Do what can be done at this time; return whether anything was."""
        if self.outbox or self.is_closed:
            return False
        if self._steps is not None:
            return self._due_ns <= now_ns and self._step(partial(self._steps.send, now_ns), now_ns)
        if self.inbox:
            return self._take(self.inbox.popleft(), now_ns)
        if self._due_ns <= now_ns:
            self._act(Effect.CUT)
            self.close(Ending.CLOSED)
            return True
        return False

    def interrupt(self) -> Chunk | None:
        """Give up the item in hand; return what of it leaves at once."""
        if self._steps is None:
            return None
        hand = self._stage.hand
        released, again = hand.release, hand.again
        self._kept_bytes += size_bytes(released) + size_bytes(again)
        self._let_go()
        if again is not None:
            self.inbox.appendleft(again)
        hand.release = hand.again = None
        return released

    def update(self, toxic: Toxic, now_ns: int) -> None:
        """Go on with another description of the same toxic; what was held leaves at once."""
        had_hole = self.drops_everything
        released = self.interrupt()
        if released is not None:
            self.outbox.append(released)
        self.toxic = toxic
        if self.is_closed:
            return
        self.start(now_ns)
        if had_hole and not self.drops_everything:
            self.close(Ending.CLOSED)

    def drain(self) -> list[Item]:
        """Empty the place for its removal; return what it held, in order."""
        released = self.interrupt()
        if self.drops_everything and not self.is_closed:
            self.close(Ending.CLOSED)
        items = [*self.outbox, *([released] if released is not None else []), *self.inbox]
        self.outbox.clear()
        self.inbox.clear()
        return items

    def close(self, ending: Ending) -> None:
        """End the link here; what is still in front of it is lost."""
        self._let_go()
        self.dropped_bytes += sum(map(size_bytes, self.inbox))
        self.inbox.clear()
        self.is_sealed = self.is_closed = True
        self.outbox.append(ending)

    def _drawn_stage(self) -> Stage:
        if self.toxic is None:
            return PassOn(traits=SPARED)
        rng = self._chance.generator(self.toxic.name, self._restarts)
        self._restarts += 1
        value = draw_toxicity(rng)
        acts = value < float32(self.toxic.toxicity)
        self._observer.drawn(self.toxic.name, value, acts=acts)
        return self.toxic.behaviour.stage(rng, self._memory) if acts else PassOn(traits=SPARED)

    def _rest(self, now_ns: int) -> None:
        limit_ns = self._stage.traits.idle_limit_ns
        self._due_ns = NEVER_NS if limit_ns is None else now_ns + limit_ns

    def _take(self, item: Item, now_ns: int) -> bool:
        self._item, self._kept_bytes = item, 0
        self._steps = self._stage.handle(item, now_ns)
        return self._step(self._steps.__next__, now_ns)

    def _step(self, resume: Callable[[], Step], now_ns: int) -> bool:
        self._due_ns = now_ns  # goes on as soon as what it put out is taken
        try:
            step = resume()
        except StopIteration:
            self._let_go()
            self._rest(now_ns)
            return True
        match step:
            case Wait(due_ns):
                self._due_ns = due_ns
            case Chunk():
                self._kept_bytes += len(step.content)
                self.outbox.append(step)
            case Ending():
                self.close(step)
            case Effect():
                self._act(step)
            case _:
                assert_never(step)
        return True

    def _let_go(self) -> None:
        if self._steps is not None:
            self._steps.close()
            self.dropped_bytes += size_bytes(self._item) - self._kept_bytes
        self._steps = self._item = None

    def _act(self, effect: Effect) -> None:
        if self.toxic is not None:
            self._observer.acted(self.toxic.name, effect)


def size_bytes(item: Item | None) -> int:
    """Return how many bytes of the stream an item carries."""
    return len(item.content) if isinstance(item, Chunk) else 0
