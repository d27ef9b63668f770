"""A pipe in virtual time: feed it at given instants, read exactly when what arrived."""

from collections.abc import Callable, Sequence
from itertools import count

from fault_injectors.toxics import (
    NEVER_NS,
    Effect,
    Ending,
    Pipe,
    SeededChance,
    Stream,
    Toxic,
)

NS_PER_MS = 1_000_000


class VirtualLine:
    """Own one pipe, its clock, its sink and its observer; times are milliseconds."""

    def __init__(self, *toxics: Toxic, seed: int = 0, connection: int = 0) -> None:
        self.now_ns = 0
        self.arrivals: list[tuple[float, bytes]] = []
        self.ending: tuple[float, Ending] | None = None
        self.draws: list[tuple[str, float, bool]] = []
        self.effects: list[tuple[str, Effect]] = []
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        chance = SeededChance(seed=seed, proxy="p", connection=connection, stream=Stream.DOWNSTREAM)
        self.pipe = Pipe(sink=self, chance=chance, observer=self)
        self.pipe.start(toxics, 0)

    def write(self, content: bytes) -> None:
        self.arrivals.append((self.now_ns / NS_PER_MS, content))

    def end(self, ending: Ending) -> None:
        self.ending = (self.now_ns / NS_PER_MS, ending)

    def drawn(self, toxic: str, value: float, *, acts: bool) -> None:
        self.draws.append((toxic, value, acts))

    def acted(self, toxic: str, effect: Effect) -> None:
        self.effects.append((toxic, effect))

    def at(self, time_ms: float, act: Callable[[], None]) -> "VirtualLine":
        self._events.append((round(time_ms * NS_PER_MS), next(self._order), act))
        return self

    def feed(self, time_ms: float, content: bytes) -> "VirtualLine":
        return self.at(time_ms, lambda: self.pipe.feed(content, self.now_ns))

    def finish(self, time_ms: float) -> "VirtualLine":
        return self.at(time_ms, lambda: self.pipe.finish(self.now_ns))

    def add(self, time_ms: float, toxic: Toxic) -> "VirtualLine":
        return self.at(time_ms, lambda: self.pipe.add(toxic, self.now_ns))

    def update(self, time_ms: float, toxic: Toxic) -> "VirtualLine":
        return self.at(time_ms, lambda: self.pipe.update(toxic, self.now_ns))

    def remove(self, time_ms: float, name: str) -> "VirtualLine":
        return self.at(time_ms, lambda: self.pipe.remove(name, self.now_ns))

    def block(self, time_ms: float) -> "VirtualLine":
        return self.at(time_ms, self.pipe.block)

    def unblock(self, time_ms: float) -> "VirtualLine":
        return self.at(time_ms, lambda: self.pipe.unblock(self.now_ns))

    def run(self, until_ms: float = 3_600_000) -> "VirtualLine":
        """Play the events in order, waking the pipe whenever it is due."""
        events = sorted(self._events)
        self._events = []
        limit_ns = round(until_ms * NS_PER_MS)
        for _ in range(2_000_000):
            event_ns = events[0][0] if events else NEVER_NS
            next_ns = max(self.now_ns, min(event_ns, self.pipe.due_ns))
            if next_ns > limit_ns:
                return self
            self.now_ns = next_ns
            if event_ns <= next_ns:
                events.pop(0)[2]()
            else:
                self.pipe.wake(next_ns)
        raise AssertionError("the pipe never came to rest")

    @property
    def content(self) -> bytes:
        return b"".join(content for _, content in self.arrivals)

    @property
    def times_ms(self) -> list[float]:
        return [time_ms for time_ms, _ in self.arrivals]

    @property
    def span_ms(self) -> Sequence[float]:
        """First and last arrival."""
        return self.times_ms[0], self.times_ms[-1]
