"""The bounded table of clients behind a rate limiter."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

_MAX_LABELLED_CLIENTS = 100  # label values of a metric are bounded; the rest shares one
OTHER_CLIENTS = "(other)"
"""Label of all clients beyond the first hundred, and of their common overflow bucket."""


@dataclass(slots=True, kw_only=True)
class ClientTally:
    """Counts the decisions for one label."""

    client: str
    allowed: int = 0
    rejected: int = 0


class Bucket:
    """What one client has used up, told as the instants at which it will be made good.

    Attributes:
        full_at_s: When all its tokens will be back, monotonic seconds; in the past if they are.
        burst_full_at_s: When all of its burst will be back.
        tally: Where its decisions are counted.
    """

    __slots__ = ("burst_full_at_s", "full_at_s", "tally")

    def __init__(self, now_s: float, tally: ClientTally) -> None:
        self.full_at_s = now_s
        self.burst_full_at_s = now_s
        self.tally = tally


class ClientBuckets:
    """Finds the bucket of a client in a table that cannot grow without end.

    Only a bucket that is full by now is dropped, since a new one would equal it, the least
    recently used first; if none is full, unknown clients share one overflow bucket. So a flood of
    invented names cannot wash out the bucket of a client that has used up its tokens.

    Args:
        max_clients: Clients with a bucket of their own.

    Attributes:
        newest: Bucket of the most recently used client; it needs no look into the table.
        newest_client: Whose it is, None before the first.
    """

    def __init__(self, max_clients: int) -> None:
        self._max_clients = max_clients
        self._tallies: dict[str, ClientTally] = {}
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()  # least recently used first
        self._overflow: Bucket | None = None
        self._none_full_before_s = 0.0
        self.newest = Bucket(0.0, ClientTally(client=""))
        self.newest_client: str | None = None

    def of(self, client: str, now_s: float) -> Bucket:
        """Return the bucket of `client`, making room for a new one if need be."""
        bucket = self._buckets.get(client)
        if bucket is None:
            return self._of_stranger(client, now_s)
        self._buckets.move_to_end(client)
        self.newest, self.newest_client = bucket, client
        return bucket

    def labelled(self) -> Iterator[tuple[str, Bucket]]:
        """Yield the clients that have a label of their own and a bucket at present."""
        for client in self._tallies:
            bucket = self._buckets.get(client)
            if bucket is not None:
                yield client, bucket

    def tallies(self) -> tuple[ClientTally, ...]:
        """Return the counts by label; they only grow, also when a bucket is dropped."""
        return tuple(self._tallies.values())

    def clear(self) -> None:
        """Forget all clients and counts."""
        self._tallies.clear()
        self._buckets.clear()
        self._overflow = None
        self._none_full_before_s = 0.0
        self.newest_client = None

    def __len__(self) -> int:
        return len(self._buckets)

    def _of_stranger(self, client: str, now_s: float) -> Bucket:
        if len(self._buckets) >= self._max_clients and not self._drop_full(now_s):
            if self._overflow is None:
                self._overflow = Bucket(now_s, self._tally(OTHER_CLIENTS))
            return self._overflow
        bucket = Bucket(now_s, self._tally(client))
        self._buckets[client] = bucket
        self.newest, self.newest_client = bucket, client
        return bucket

    def _tally(self, client: str) -> ClientTally:
        if client not in self._tallies and len(self._tallies) >= _MAX_LABELLED_CLIENTS:
            client = OTHER_CLIENTS
        return self._tallies.setdefault(client, ClientTally(client=client))

    def _drop_full(self, now_s: float) -> bool:
        """Drop the least recently used bucket that is full by now; tell whether there was one."""
        if now_s < self._none_full_before_s:
            return False  # known from the last search: use only moves these instants back
        soonest_s = float("inf")
        for client, bucket in self._buckets.items():
            full_at_s = max(bucket.full_at_s, bucket.burst_full_at_s)
            if full_at_s <= now_s:
                del self._buckets[client]
                return True
            soonest_s = min(soonest_s, full_at_s)
        self._none_full_before_s = soonest_s
        return False
