"""One direction of one connection over sockets: a pipe, its timer and its two transports."""

import asyncio
from typing import Protocol

from fault_injectors.proxy.evidence import Evidence, Traffic
from fault_injectors.toxics import NEVER_NS, Chance, Effect, Ending, Pipe, Toxic
from harness.clock import Clock


class Closing(Protocol):
    """End one side of a connection."""

    def __call__(self, ending: Ending) -> None:
        """Close the destination in the way that `ending` says."""
        ...


class Lane:
    """Carry bytes from one transport through a pipe to another.

    Callbacks only: no task, no queue, and a direct write while no toxic is in the way.
    """

    def __init__(
        self, traffic: Traffic, *, clock: Clock, evidence: Evidence, chance: Chance
    ) -> None:
        self.traffic = traffic
        self.pipe = Pipe(sink=self, chance=chance, observer=self)
        self._clock = clock
        self._evidence = evidence
        self._seen: set[str] = set()  # toxics whose first effect here is on record
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = NEVER_NS
        self._source: asyncio.Transport | None = None
        self._destination: asyncio.Transport | None = None
        self._close: Closing | None = None
        self._is_paused = True  # nothing is read before the upstream is connected

    def start(
        self,
        toxics: tuple[Toxic, ...],
        *,
        source: asyncio.Transport,
        destination: asyncio.Transport,
        close: Closing,
    ) -> None:
        """Begin to carry, with the toxics that the proxy has now."""
        self._source, self._destination, self._close = source, destination, close
        now_ns = self._clock.now_ns()
        self.pipe.start(toxics, now_ns)
        self._settle(now_ns)

    def arrived(self, content: bytes) -> None:
        """Take bytes that the source sent."""
        now_ns = self._clock.now_ns()
        self._evidence.arrived(self.traffic, len(content), now_ns)
        goes_straight = self.pipe.is_bare
        self.pipe.feed(content, now_ns)
        if not goes_straight:
            self._settle(now_ns)

    def finished(self) -> None:
        """Take the end of the source, by FIN or by RST; it travels behind the bytes."""
        now_ns = self._clock.now_ns()
        self.pipe.finish(now_ns)
        self._settle(now_ns)

    def block(self) -> None:
        """Hold back: the destination takes no more."""
        self.pipe.block()
        self._settle(self._clock.now_ns())

    def unblock(self) -> None:
        """Go on: the destination takes bytes again."""
        now_ns = self._clock.now_ns()
        self.pipe.unblock(now_ns)
        self._settle(now_ns)

    def cancel(self) -> None:
        """Drop everything: the destination is gone."""
        self.pipe.cancel()
        self._settle(self._clock.now_ns())

    def add(self, toxic: Toxic) -> None:
        """Add a toxic behind the last one."""
        now_ns = self._clock.now_ns()
        self._seen.discard(toxic.name)
        self.pipe.add(toxic, now_ns)
        self._settle(now_ns)

    def update(self, toxic: Toxic) -> None:
        """Change the toxic of the same name."""
        now_ns = self._clock.now_ns()
        self._seen.discard(toxic.name)
        self.pipe.update(toxic, now_ns)
        self._settle(now_ns)

    def remove(self, name: str) -> None:
        """Take a toxic out; what it holds goes on at once."""
        now_ns = self._clock.now_ns()
        self.pipe.remove(name, now_ns)
        self._settle(now_ns)

    def write(self, content: bytes) -> None:
        """Hand bytes to the destination; called by the pipe."""
        if self._destination is not None:
            self._destination.write(content)

    def end(self, ending: Ending) -> None:
        """Close the destination; called by the pipe behind the last byte."""
        if self._close is not None:
            self._close(ending)

    def drawn(self, toxic: str, value: float, *, acts: bool) -> None:
        """Record a draw; called by the pipe."""
        self._evidence.drawn(self.traffic, toxic, value, acts=acts)

    def acted(self, toxic: str, effect: Effect) -> None:
        """Record an effect; called by the pipe."""
        is_first = toxic not in self._seen
        self._seen.add(toxic)
        self._evidence.acted(self.traffic, toxic, effect, is_first=is_first)

    def _settle(self, now_ns: int) -> None:
        """Let the timer and the reading of the source follow the pipe."""
        due_ns = self.pipe.due_ns
        if due_ns != self._timer_ns:
            self._set_timer(due_ns, now_ns)
        if self.pipe.wants_bytes == self._is_paused and self._source is not None:
            self._turn_reading(self._source)

    def _set_timer(self, due_ns: int, now_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_ns = due_ns
        if due_ns != NEVER_NS:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0, due_ns - now_ns) / 1e9, self._wake)

    def _turn_reading(self, source: asyncio.Transport) -> None:
        if source.is_closing():
            return
        self._is_paused = not self._is_paused
        if self._is_paused:
            source.pause_reading()
        else:
            source.resume_reading()

    def _wake(self) -> None:
        self._timer, self._timer_ns = None, NEVER_NS
        now_ns = self._clock.now_ns()  # a timer may fire early: the pipe then asks for another
        self.pipe.wake(now_ns)
        self._settle(now_ns)
