"""One direction of one connection: bytes in, through a chain of toxics, bytes out.

A pipe does no I/O and reads no clock: its owner hands in the time, in integer nanoseconds, calls
`wake` at `due_ns`, and stops feeding while `wants_bytes` is false. The owner may be a socket proxy
or a simulated network; what the toxics do is the same.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from fault_injectors.toxics.chance import Chance
from fault_injectors.toxics.slot import Observer, Slot
from fault_injectors.toxics.stage import NEVER_NS, Chunk, Ending, Item
from fault_injectors.toxics.toxic import Toxic

CHUNK_BYTES_MAX = 32 * 1024  # what Toxiproxy reads at once, hence the size that its toxics see
SOURCE_BYTES_MAX = 64 * 1024  # beyond this the owner should stop reading; stands for a full socket
ROUNDS_MAX = 500  # then the owner gets its turn: a slicer must not keep an event loop from others


class Sink(Protocol):
    """Where the bytes of a pipe go. Must not call back into the pipe but for `block`."""

    def write(self, content: bytes) -> None:
        """Take bytes; always takes them, and calls `block` when it wants no more."""
        ...

    def end(self, ending: Ending) -> None:
        """Take the end, after the last byte."""
        ...


class Pipe:
    """Pass bytes through toxics, in order, and never lose one that no toxic drops."""

    def __init__(self, *, sink: Sink, chance: Chance, observer: Observer) -> None:
        self.fed_bytes = 0
        self.delivered_bytes = 0
        self.is_ended = False
        self.is_bare = True  # no toxic, nothing held: bytes go straight to the sink
        self._sink = sink
        self._chance = chance
        self._observer = observer
        self._source: deque[memoryview] = deque()
        self._source_bytes = 0
        self._has_finished = False
        self._read: Item | None = None  # read from the source, not yet taken by the first slot
        self._slots = [Slot(None, chance=chance, observer=observer)]
        self._dropped_bytes = 0
        self._is_blocked = False
        self._is_hurried = False
        self._now_ns = 0

    @property
    def due_ns(self) -> int:
        """Return when `wake` has to be called; `NEVER_NS` if it need not be."""
        if self.is_ended:
            return NEVER_NS
        if self._is_hurried:
            return self._now_ns
        return min(slot.due_ns for slot in self._slots)

    @property
    def wants_bytes(self) -> bool:
        """Return whether the owner should go on reading from the source."""
        if self.is_ended or self._has_finished:
            return False
        if self.is_bare:
            return not self._is_blocked
        return self._source_bytes < SOURCE_BYTES_MAX

    @property
    def dropped_bytes(self) -> int:
        """Return how many bytes toxics dropped, or a close left behind."""
        if self.is_ended:
            return self.fed_bytes - self.delivered_bytes
        return self._dropped_bytes + sum(slot.dropped_bytes for slot in self._slots)

    @property
    def held_bytes(self) -> int:
        """Return how many bytes are on their way."""
        return self.fed_bytes - self.delivered_bytes - self.dropped_bytes

    @property
    def resets(self) -> bool:
        """Return whether a toxic that acts here makes any end of the connection an RST."""
        return any(slot.resets for slot in self._slots)

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        """Return the toxics of the chain, in order of creation."""
        return tuple(slot.toxic for slot in self._slots if slot.toxic is not None)

    def start(self, toxics: Sequence[Toxic], now_ns: int) -> None:
        """Put the toxics in place that the connection begins with."""
        for toxic in toxics:
            slot = Slot(toxic, chance=self._chance, observer=self._observer)
            self._slots.append(slot)
            slot.start(now_ns)
        self._pump(now_ns)

    def feed(self, content: bytes, now_ns: int) -> None:
        """Take bytes from the source."""
        if self.is_ended or not content:
            return
        self.fed_bytes += len(content)
        if self.is_bare:
            self._write(content)
            return
        self._source.append(memoryview(content))
        self._source_bytes += len(content)
        self._pump(now_ns)

    def finish(self, now_ns: int) -> None:
        """Take the end of the source's stream; it travels behind the bytes."""
        self._has_finished = True
        if not self.is_ended:
            self._pump(now_ns)

    def wake(self, now_ns: int) -> None:
        """Do what is due. Calling it early does no harm."""
        self._pump(now_ns)

    def block(self) -> None:
        """Hand nothing to the sink until `unblock`."""
        self._is_blocked = True

    def unblock(self, now_ns: int) -> None:
        """Go on handing over."""
        self._is_blocked = False
        self._pump(now_ns)

    def cancel(self) -> None:
        """Drop everything: the connection is gone."""
        self.is_ended = True
        self._slots.clear()
        self._source.clear()
        self._read = None

    def add(self, toxic: Toxic, now_ns: int) -> None:
        """Add a toxic behind the last; what the last one held leaves past the new one."""
        if self.is_ended:
            return
        last = self._slots[-1]
        released = last.interrupt()
        slot = Slot(toxic, chance=self._chance, observer=self._observer)
        if released is not None and last.outbox:
            last.outbox.append(released)  # behind what it was handing over, to its new successor
        elif released is not None:
            self._put(len(self._slots), released)
        self._slots.append(slot)
        if last.is_closed:
            slot.is_sealed = slot.is_closed = True
        else:
            slot.start(now_ns)
            last.start(now_ns)
        self._pump(now_ns)

    def update(self, toxic: Toxic, now_ns: int) -> None:
        """Change the toxic of the same name; what it holds leaves at once.

        Raises:
            LookupError: If the chain has no toxic of this name.
        """
        if self.is_ended:
            return
        self._slots[self._index(toxic.name)].update(toxic, now_ns)
        self._pump(now_ns)

    def remove(self, name: str, now_ns: int) -> None:
        """Take a toxic out; what it holds and what waits for it goes on, in order.

        Raises:
            LookupError: If the chain has no toxic of this name.
        """
        if self.is_ended:
            return
        index = self._index(name)
        slot = self._slots.pop(index)
        was_closed = slot.is_closed
        for item in slot.drain():
            self._put(index, item)
        self._dropped_bytes += slot.dropped_bytes
        if not was_closed:
            self._rewire(index - 1, now_ns)
        self._pump(now_ns)

    def _rewire(self, index: int, now_ns: int) -> None:
        before = self._slots[index]
        released = before.interrupt()
        if released is not None:
            before.outbox.append(released)
        if not before.is_closed:
            before.start(now_ns)

    def _index(self, name: str) -> int:
        for index, slot in enumerate(self._slots):
            if slot.toxic is not None and slot.toxic.name == name:
                return index
        raise LookupError(f"no toxic {name!r} in this chain")

    def _pump(self, now_ns: int) -> None:
        self._now_ns = now_ns
        rounds = 0
        while rounds < ROUNDS_MAX and not self.is_ended and self._move(now_ns):
            rounds += 1
        self._is_hurried = rounds == ROUNDS_MAX
        self.is_bare = len(self._slots) == 1 and self.held_bytes == 0

    def _move(self, now_ns: int) -> bool:
        moved = False
        for index in range(len(self._slots) - 1, -1, -1):
            slot = self._slots[index]
            while slot.outbox and self._accepts(index + 1, slot.outbox[0]):
                self._put(index + 1, slot.outbox.popleft())
                moved = True
            moved = slot.run(now_ns) or moved
        return self._read_on(now_ns) or moved

    def _read_on(self, now_ns: int) -> bool:
        if self._read is None:
            self._read = self._next_item(now_ns)
        if self._read is None or not self._slots[0].accepts(self._read):
            return False
        self._slots[0].put(self._read)
        self._read = None
        return True

    def _next_item(self, now_ns: int) -> Item | None:
        if self._source:
            return Chunk(self._cut_source(), now_ns)
        if self._has_finished and not self._slots[0].is_sealed:
            return Ending.FINISHED
        return None

    def _cut_source(self) -> bytes:
        """Return what one read would: pieces that piled up come together, up to the maximum."""
        pieces: list[memoryview] = []
        room = CHUNK_BYTES_MAX
        while self._source and room:
            piece = self._source.popleft()
            if len(piece) > room:
                self._source.appendleft(piece[room:])
                piece = piece[:room]
            pieces.append(piece)
            room -= len(piece)
        self._source_bytes -= CHUNK_BYTES_MAX - room
        return b"".join(pieces)

    def _accepts(self, index: int, item: Item) -> bool:
        if index < len(self._slots):
            return self._slots[index].accepts(item)
        return not self.is_ended and (isinstance(item, Ending) or not self._is_blocked)

    def _put(self, index: int, item: Item) -> None:
        if index < len(self._slots):
            self._slots[index].put(item)
        elif isinstance(item, Chunk):
            self._write(item.content)
        elif not self.is_ended:
            self.is_ended = True
            self._sink.end(item)

    def _write(self, content: bytes) -> None:
        if self.is_ended:
            return
        self.delivered_bytes += len(content)
        self._sink.write(content)
