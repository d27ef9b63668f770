"""Stale cache: remember good answers for bad times."""

from collections import OrderedDict
from dataclasses import dataclass

from resilience.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedValue:
    """An earlier answer.

    Attributes:
        value: The very object that was stored; copy it before you change it.
        age_s: Seconds since it was stored, never negative.
    """

    value: object
    age_s: float


class StaleCache:
    """Remembers the newest success of each key. Not thread-safe.

    Ages are measured on the monotonic clock, so a jump of the wall clock neither expires nor
    revives anything. The table is bounded; the least recently stored key goes first.

    Args:
        clock: The only source of time.
        max_age_s: Oldest answer that is still given, seconds.
        max_entries: Keys that are remembered.
    """

    def __init__(self, *, clock: Clock, max_age_s: float, max_entries: int) -> None:
        self._now = clock.monotonic
        self._max_age_s = max_age_s
        self._max_entries = max_entries
        self._entries: OrderedDict[str, tuple[object, float]] = OrderedDict()

    def put(self, key: str, value: object) -> None:
        """Remember `value` as the newest answer for `key`."""
        self._entries[key] = (value, self._now())
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def get(self, key: str) -> CachedValue | None:
        """Return the newest answer for `key` unless it is older than `max_age_s`."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, stored_s = entry
        age_s = max(0.0, self._now() - stored_s)
        return CachedValue(value=value, age_s=age_s) if age_s <= self._max_age_s else None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
