"""Rate limiter: a token bucket per client, with a second one that bounds what passes at once."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from resilience.clock import Clock
from resilience.configuration import LimiterConfig
from resilience.errors import RateLimited
from resilience.events import Event, EventKind, Listener, Listeners

# Waiting exactly `retry_after_s` has to be enough although the clock is a binary fraction: a
# monotonic clock of three years (1e8 s) has steps of 1.5e-8 s.
_SLACK_S = 1e-7
_MAX_LABELLED_CLIENTS = 100  # label values of a metric are bounded; the rest shares one
OTHER_CLIENTS = "(other)"
"""Label of all clients beyond the first hundred, and name of their common overflow bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterDecision:
    """Says whether a call may go on.

    Attributes:
        allowed: True if its cost was debited; a refused call costs nothing.
        remaining: Tokens left, the burst considered.
        retry_after_s: Seconds until the cost will be available, 0 if allowed.
    """

    allowed: bool
    remaining: float
    retry_after_s: float


@dataclass(slots=True, kw_only=True)
class ClientTally:
    """Counts the decisions for one label."""

    client: str
    allowed: int = 0
    rejected: int = 0


class _Bucket:
    __slots__ = ("burst", "refilled_s", "tally", "tokens")

    def __init__(self, config: LimiterConfig, now_s: float, tally: ClientTally) -> None:
        self.tokens = config.capacity
        self.burst = config.capacity if config.burst is None else config.burst
        self.refilled_s = now_s
        self.tally = tally


class RateLimiter:
    """Limits each client on its own; refuses, never waits. Not thread-safe.

    A call needs its cost in both buckets, and both are debited or none. The table of clients is
    bounded: only a bucket that is full by now is dropped, since a new one would equal it; if none
    is, unknown clients share an overflow bucket. So a flood of invented names cannot wash out the
    bucket of a client that has used up its tokens.

    Args:
        name: Names the limiter in errors and events.
        config: Capacity and rates.
        clock: The only source of time.
        listener: Hears of every decision; more can subscribe.
    """

    def __init__(
        self, name: str, config: LimiterConfig, *, clock: Clock, listener: Listener | None = None
    ) -> None:
        self.name = name
        self.config = config
        self.listeners = Listeners(listener)
        self._now = clock.monotonic
        self._capacity = config.capacity
        self._rate_per_s = config.refill_rate_per_s
        self._burst = config.capacity if config.burst is None else config.burst
        # Without a burst the second bucket mirrors the first and never decides.
        self._burst_rate_per_s = (
            config.refill_rate_per_s
            if config.burst is None
            else config.burst / config.burst_refill_s
        )
        self._tallies: dict[str, ClientTally] = {}
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()  # least recently used first
        self._newest: _Bucket | None = None
        self._overflow: _Bucket | None = None
        self._none_full_before_s = 0.0

    def try_acquire(self, client: str, cost: float = 1.0) -> LimiterDecision:
        """Debit `cost` tokens of `client` if it has them.

        Raises:
            ValueError: If `cost` could never be available.
        """
        now_s = self._now()
        wait_s = self.debit(client, cost, now_s)
        bucket = self._bucket(client, now_s)
        return LimiterDecision(
            allowed=wait_s == 0.0,
            remaining=min(bucket.tokens, bucket.burst),
            retry_after_s=wait_s,
        )

    def acquire(self, client: str, cost: float = 1.0) -> None:
        """Debit `cost` tokens of `client`, or raise.

        Raises:
            RateLimited: With the exact time until the cost will be available.
            ValueError: If `cost` could never be available.
        """
        wait_s = self.debit(client, cost, self._now())
        if wait_s:
            raise RateLimited(self.name, wait_s)

    def debit(self, client: str, cost: float, now_s: float) -> float:
        """Do the work of `try_acquire` at `now_s` without making a decision object.

        Returns:
            0.0 if the cost was debited, else the seconds until it would be available.

        Raises:
            ValueError: If `cost` could never be available.
        """
        if not 0.0 <= cost <= self._burst:
            raise ValueError(f"cost={cost!r} must be in [0, {self._burst}]; more never passes")
        bucket = self._bucket(client, now_s)
        elapsed_s = now_s - bucket.refilled_s
        if elapsed_s > 0.0:
            bucket.refilled_s = now_s
            tokens = bucket.tokens + elapsed_s * self._rate_per_s
            bucket.tokens = min(self._capacity, tokens)
            burst = bucket.burst + elapsed_s * self._burst_rate_per_s
            bucket.burst = min(self._burst, burst)
        wait_s = 0.0
        if bucket.tokens >= cost and bucket.burst >= cost:
            bucket.tokens -= cost
            bucket.burst -= cost
            bucket.tally.allowed += 1
        else:
            wait_s = self._debit_scarce(bucket, cost)
        if self.listeners.active:
            self._announce(client, bucket, wait_s)
        return wait_s

    def tokens(self) -> Iterator[tuple[str, float]]:
        """Yield label and tokens of the clients that have a label of their own, refilled to now."""
        now_s = self._now()
        for client in self._tallies:
            bucket = self._buckets.get(client)
            if bucket is not None:
                grown = bucket.tokens + max(0.0, now_s - bucket.refilled_s) * self._rate_per_s
                yield client, min(self._capacity, grown)

    def tallies(self) -> tuple[ClientTally, ...]:
        """Return the counts by label; they only grow, also when a bucket is dropped."""
        return tuple(self._tallies.values())

    def reset(self) -> None:
        """Forget all clients, so that each has its full capacity again."""
        self._tallies.clear()
        self._buckets.clear()
        self._newest = self._overflow = None
        self._none_full_before_s = 0.0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every decision from now on; call the result to end it."""
        return self.listeners.subscribe(listener)

    def _debit_scarce(self, bucket: _Bucket, cost: float) -> float:
        wait_s = max(
            (cost - bucket.tokens) / self._rate_per_s,
            (cost - bucket.burst) / self._burst_rate_per_s,
        )
        if wait_s > _SLACK_S:
            bucket.tally.rejected += 1
            return wait_s
        bucket.tokens = max(0.0, bucket.tokens - cost)
        bucket.burst = max(0.0, bucket.burst - cost)
        bucket.tally.allowed += 1
        return 0.0

    def _bucket(self, client: str, now_s: float) -> _Bucket:
        bucket = self._buckets.get(client)
        if bucket is None:
            return self._bucket_of_stranger(client, now_s)
        if bucket is not self._newest:
            self._buckets.move_to_end(client)
            self._newest = bucket
        return bucket

    def _bucket_of_stranger(self, client: str, now_s: float) -> _Bucket:
        if len(self._buckets) >= self.config.max_clients and not self._drop_full_bucket(now_s):
            return self._overflow_bucket(now_s)
        bucket = _Bucket(self.config, now_s, self._tally(client))
        self._buckets[client] = self._newest = bucket
        return bucket

    def _overflow_bucket(self, now_s: float) -> _Bucket:
        if self._overflow is None:
            self._overflow = _Bucket(self.config, now_s, self._tally(OTHER_CLIENTS))
        return self._overflow

    def _tally(self, client: str) -> ClientTally:
        if client not in self._tallies and len(self._tallies) >= _MAX_LABELLED_CLIENTS:
            client = OTHER_CLIENTS
        return self._tallies.setdefault(client, ClientTally(client=client))

    def _drop_full_bucket(self, now_s: float) -> bool:
        """Drop the least recently used bucket that is full by now; tell whether there was one."""
        if now_s < self._none_full_before_s:
            return False  # known from the last search: use only moves these instants back
        soonest_s = float("inf")
        for client, bucket in self._buckets.items():
            full_at_s = self._full_at_s(bucket)
            if full_at_s <= now_s:
                del self._buckets[client]
                return True
            soonest_s = min(soonest_s, full_at_s)
        self._none_full_before_s = soonest_s
        return False

    def _full_at_s(self, bucket: _Bucket) -> float:
        missing_s = max(
            (self._capacity - bucket.tokens) / self._rate_per_s,
            (self._burst - bucket.burst) / self._burst_rate_per_s,
        )
        return bucket.refilled_s + missing_s

    def _announce(self, client: str, bucket: _Bucket, wait_s: float) -> None:
        kind = EventKind.RATE_LIMIT_EXCEEDED if wait_s else EventKind.RATE_LIMIT_ALLOWED
        self.listeners.announce(
            Event(
                kind=kind,
                component=self.name,
                time_s=self._now(),
                fields={
                    "client": client,
                    "tokens": min(bucket.tokens, bucket.burst),
                    "retry_after_s": wait_s,
                },
            )
        )
