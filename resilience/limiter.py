"""Rate limiter: a token bucket per client, with a second one that bounds what passes at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from resilience.client_buckets import Bucket, ClientBuckets, ClientTally
from resilience.clock import Clock
from resilience.configuration import LimiterConfig
from resilience.errors import RateLimited
from resilience.events import Event, EventKind, Listener, Listeners

# Waiting exactly `retry_after_s` has to be enough although the clock is a binary fraction: a
# monotonic clock of three years (1e8 s) has steps of 1.5e-8 s.
_SLACK_S = 1e-7


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


class RateLimiter:
    """Limits each client on its own; refuses, never waits. Not thread-safe.

    A call needs its cost in both buckets, and both are debited or none. The table of clients is
    bounded, see `ClientBuckets`.

    Source: the virtual-scheduling form of the generic cell rate algorithm, ITU-T I.371 annex A. It
    keeps one instant instead of a level and the time of its last refill, decides exactly as a token
    bucket does, and needs half the arithmetic.

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
        self._clients = ClientBuckets(config.max_clients)
        self._token_s = 1.0 / config.refill_rate_per_s
        self._window_s = config.capacity * self._token_s
        self._max_cost = config.capacity
        # Without a burst the second bucket mirrors the first and never decides.
        self._burst_token_s, self._burst_window_s = self._token_s, self._window_s
        if config.burst is not None:
            self._max_cost = config.burst
            self._burst_token_s = config.burst_refill_s / config.burst
            self._burst_window_s = config.burst_refill_s

    def try_acquire(self, client: str, cost: float = 1.0) -> LimiterDecision:
        """Debit `cost` tokens of `client` if it has them.

        Raises:
            ValueError: If `cost` could never be available.
        """
        now_s = self._now()
        wait_s = self.debit(client, cost, now_s)
        return LimiterDecision(
            allowed=wait_s == 0.0,
            remaining=self._remaining(self._clients.of(client, now_s), now_s),
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
        if not 0.0 <= cost <= self._max_cost:
            raise ValueError(f"cost={cost!r} must be in [0, {self._max_cost}]; more never passes")
        clients = self._clients
        bucket = clients.newest if client == clients.newest_client else clients.of(client, now_s)
        full_at_s, burst_full_at_s = bucket.full_at_s, bucket.burst_full_at_s
        # Plain conditions, since a call of max() costs more than all the arithmetic.
        if full_at_s < now_s:  # noqa: PLR1730
            full_at_s = now_s
        if burst_full_at_s < now_s:  # noqa: PLR1730
            burst_full_at_s = now_s
        full_at_s += cost * self._token_s
        burst_full_at_s += cost * self._burst_token_s
        wait_s = full_at_s - now_s - self._window_s
        burst_wait_s = burst_full_at_s - now_s - self._burst_window_s
        if wait_s <= _SLACK_S and burst_wait_s <= _SLACK_S:
            bucket.full_at_s, bucket.burst_full_at_s = full_at_s, burst_full_at_s
            bucket.tally.allowed += 1
            wait_s = 0.0
        else:
            wait_s = max(wait_s, burst_wait_s)
            bucket.tally.rejected += 1
        if self.listeners.active:
            self._announce(client, bucket, wait_s, now_s)
        return wait_s

    def tokens(self) -> Iterator[tuple[str, float]]:
        """Yield label and tokens of the clients that have a label of their own."""
        now_s = self._now()
        for client, bucket in self._clients.labelled():
            yield client, self._remaining(bucket, now_s)

    def tallies(self) -> tuple[ClientTally, ...]:
        """Return the counts by label; they only grow, also when a bucket is dropped."""
        return self._clients.tallies()

    def reset(self) -> None:
        """Forget all clients, so that each has its full capacity again."""
        self._clients.clear()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every decision from now on; call the result to end it."""
        return self.listeners.subscribe(listener)

    def _remaining(self, bucket: Bucket, now_s: float) -> float:
        missing_s = max(0.0, bucket.full_at_s - now_s)
        burst_missing_s = max(0.0, bucket.burst_full_at_s - now_s)
        tokens = (self._window_s - missing_s) / self._token_s
        burst = (self._burst_window_s - burst_missing_s) / self._burst_token_s
        return max(0.0, min(tokens, burst))  # the slack may leave a debt of 1e-7 s

    def _announce(self, client: str, bucket: Bucket, wait_s: float, now_s: float) -> None:
        kind = EventKind.RATE_LIMIT_EXCEEDED if wait_s else EventKind.RATE_LIMIT_ALLOWED
        self.listeners.announce(
            Event(
                kind=kind,
                component=self.name,
                time_s=now_s,
                fields={
                    "client": client,
                    "tokens": self._remaining(bucket, now_s),
                    "retry_after_s": wait_s,
                },
            )
        )
