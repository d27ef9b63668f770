"""Hold the tuned numbers of every protected call, and the tuning tables as named presets.

Source of the numbers: the Resilience Integration Guide of the Shadow Atlas project. Where
its code and its tuning tables disagree, the code is a service's default and the table is a
preset to choose from. Deviations carry their reason beside them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from resilience import (
    BreakerConfig,
    BulkheadConfig,
    ErrorClass,
    FallbackConfig,
    LimiterConfig,
    RetryConfig,
    ServeStale,
    StackConfig,
)
from shadow_atlas.content_addressing import FileRefused
from shadow_atlas.errors import blames_request

STALE_CACHE_MAX_AGE_S: Final = 3600.0

API_CLIENT_LIMITER: Final = LimiterConfig(capacity=100.0, refill_rate_per_s=10.0, burst=None)
"""What one client of the api may ask: 100 at once, then 10 per second."""

API_LOOKUP: Final = StackConfig(
    name="api-server",
    breaker=BreakerConfig(failure_threshold=10, open_duration_s=30.0, excluded_if=blames_request),
    retry=RetryConfig(
        max_attempts=2,
        initial_delay_s=0.05,
        max_delay_s=0.5,
        # The guide bounds neither. A lookup is one indexed query of about a millisecond: two
        # seconds are an outage, and a user has left before ten. Ten hold two attempts, their
        # back-off and one full wait for a bulkhead slot (2 x 2 + 0.055 + 5 s).
        attempt_timeout_s=2.0,
        total_timeout_s=10.0,
    ),
    bulkhead=BulkheadConfig(max_concurrent=100, max_queue=200),
    fallback=FallbackConfig(strategies=(ServeStale(max_age_s=STALE_CACHE_MAX_AGE_S),)),
)
"""One lookup in the database."""

STATE_EXTRACTION: Final = StackConfig(
    name="state-extraction",
    breaker=BreakerConfig(failure_threshold=5, open_duration_s=60.0, excluded_if=blames_request),
    retry=RetryConfig(
        max_attempts=3,
        initial_delay_s=1.0,
        max_delay_s=10.0,
        multiplier=2.0,
        jitter=0.1,
        total_timeout_s=120.0,  # three portal calls of 32 s and their pauses (99.3 s)
    ),
    bulkhead=BulkheadConfig(max_concurrent=5, max_queue=10),
)
"""One layer of one state; the bulkhead spans all portals, breakers are per portal."""

PORTAL_REQUEST: Final = StackConfig(
    name="portal-request",
    breaker=BreakerConfig(failure_threshold=3, open_duration_s=120.0, excluded_if=blames_request),
    retry=RetryConfig(
        max_attempts=3,
        initial_delay_s=0.5,
        max_delay_s=10.0,
        attempt_timeout_s=10.0,
        # The guide says 30 s, which three attempts of 10 s and their pauses (0.5 + 1 s, and
        # 10 % jitter) overrun: the third attempt would always be cut. 32 s lets it end.
        total_timeout_s=32.0,
    ),
)
"""One HTTP request to a state portal or to TIGERweb."""

BOUNDARY_UPDATE: Final = StackConfig(
    name="boundary-updates",
    breaker=BreakerConfig(
        # The quick end of the guide's row for low-traffic background work.
        failure_threshold=3,
        open_duration_s=60.0,
        success_threshold=1,  # one refresh is twenty good answers, and the next is an hour away
        monitoring_window_s=300.0,  # three refreshes that hang to their ends begin 294 s apart
        excluded_if=blames_request,
    ),
    retry=RetryConfig(
        # The tolerant end of the guide's row for slow upstreams: nobody waits for a refresh.
        max_attempts=2,
        initial_delay_s=1.0,
        max_delay_s=30.0,
        # One attempt walks through all states, twenty requests that take up to ten seconds each
        # when TIGERweb is busy and a quarter of a second otherwise. A second attempt goes on
        # where the first one stopped, so a minute for each is enough.
        attempt_timeout_s=60.0,
        total_timeout_s=125.0,  # two attempts and a pause of 1.1 s
    ),
)
"""One refresh of all counties from TIGERweb."""

IPFS_SYNC: Final = StackConfig(
    name="ipfs-sync", bulkhead=BulkheadConfig(max_concurrent=3, max_queue=5)
)
"""One synchronisation of a snapshot; the bulkhead spans all gateways, fail-over included."""

IPFS_GATEWAY: Final = StackConfig(
    name="ipfs-gateway",
    breaker=BreakerConfig(
        failure_threshold=5,
        open_duration_s=60.0,
        # A gateway that hangs takes 95 s to fail a call. In the usual window of a minute there
        # is room for three such failures at most, so its circuit would never open; five of them
        # one after the other, and the pauses between, fit into ten minutes.
        monitoring_window_s=600.0,
        # Probes of a gateway that still hangs hold slots of the bulkhead, of which there are
        # three: one at a time, until its time is over.
        half_open_max_calls=1,
        probe_timeout_s=95.0,
        excluded=(FileRefused,),  # verified, so every gateway would have sent the same
        excluded_if=blames_request,
    ),
    retry=RetryConfig(
        max_attempts=3,
        initial_delay_s=1.0,
        max_delay_s=30.0,
        multiplier=2.0,
        jitter=0.1,
        attempt_timeout_s=30.0,
        total_timeout_s=95.0,  # three attempts of 30 s and their pauses (93.3 s)
        # A gateway that answers "too busy" is left for the next one at once: the guide retries
        # only what a second attempt at the same gateway can mend.
        retryable=frozenset(
            {ErrorClass.NETWORK_TIMEOUT, ErrorClass.NETWORK_ERROR, ErrorClass.GATEWAY_TIMEOUT}
        ),
    ),
)
"""All blocks of a snapshot from one gateway; breakers are per gateway."""

BREAKER_PRESETS: Final[Mapping[str, BreakerConfig]] = MappingProxyType(
    {
        "user_facing_quick": BreakerConfig(failure_threshold=10, open_duration_s=30.0),
        "user_facing_tolerant": BreakerConfig(failure_threshold=20, open_duration_s=60.0),
        "background_quick": BreakerConfig(failure_threshold=3, open_duration_s=60.0),
        "background_tolerant": BreakerConfig(failure_threshold=5, open_duration_s=300.0),
    }
)
"""The two ends of each row of the guide's table of breaker thresholds."""

RETRY_PRESETS: Final[Mapping[str, RetryConfig]] = MappingProxyType(
    {
        "fast_upstream_quick": RetryConfig(max_attempts=2, initial_delay_s=0.05, max_delay_s=1.0),
        "fast_upstream_tolerant": RetryConfig(max_attempts=3, initial_delay_s=0.1, max_delay_s=5.0),
        "slow_upstream_quick": RetryConfig(max_attempts=2, initial_delay_s=0.5, max_delay_s=10.0),
        "slow_upstream_tolerant": RetryConfig(
            max_attempts=2, initial_delay_s=1.0, max_delay_s=30.0
        ),
    }
)
"""The two ends of each row of the guide's table of back-offs."""

BULKHEAD_PRESETS: Final[Mapping[str, BulkheadConfig]] = MappingProxyType(
    {
        "network_bound_small": BulkheadConfig(max_concurrent=10),
        "network_bound_large": BulkheadConfig(max_concurrent=50),
    }
)
"""The two ends of the guide's row for network-bound work; size them to the pool behind."""


def cpu_bound_bulkhead(*, cores: int) -> BulkheadConfig:
    """Size a bulkhead for work that computes: two calls per core.

    >>> cpu_bound_bulkhead(cores=4).max_concurrent
    8
    """
    return BulkheadConfig(max_concurrent=cores * 2)


def memory_bound_bulkhead(*, memory_bytes: int, operation_bytes: int) -> BulkheadConfig:
    """Size a bulkhead for work that holds memory: as many calls as fit at once.

    Raises:
        ValueError: If not even one operation fits.

    >>> memory_bound_bulkhead(memory_bytes=1_000, operation_bytes=300).max_concurrent
    3
    """
    if not 0 < operation_bytes <= memory_bytes:
        raise ValueError(f"{operation_bytes=} must be in [1, {memory_bytes=}]")
    return BulkheadConfig(max_concurrent=memory_bytes // operation_bytes)


def needed_total_timeout_s(retry: RetryConfig, *, attempt_timeout_s: float) -> float:
    """Return the seconds that all attempts and the longest pauses between them can take.

    >>> needed_total_timeout_s(PORTAL_REQUEST.retry, attempt_timeout_s=10.0)
    31.65
    """
    pauses_s = sum(
        min(
            retry.max_delay_s,
            retry.initial_delay_s * retry.multiplier**number * (1.0 + retry.jitter),
        )
        for number in range(retry.max_attempts - 1)
    )
    return retry.max_attempts * attempt_timeout_s + pauses_s
