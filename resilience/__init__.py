"""Resilience for asyncio: breaker, retry, bulkhead, rate limiter, fallback, and a stack of them.

Standard library only. Time and chance are arguments: every part is handed its clock, and what
draws is handed its generator. Nothing here is thread-safe; one event loop needs no locks.
"""

from resilience.assembly import create_stack
from resilience.breaker import CircuitBreaker
from resilience.breaker_state import BreakerSnapshot, BreakerState, Outcome, Permit
from resilience.bulkhead import Bulkhead, BulkheadStats
from resilience.calls import Attempt, Source, StackResult
from resilience.chaos import ChaosFaultInjector
from resilience.chaos_plan import ChaosFault, ChaosPlan, InjectedUpstreamError
from resilience.classification import (
    Classifier,
    ErrorClass,
    TemporaryFailure,
    default_classifier,
    retry_after_s,
)
from resilience.clock import Clock, SystemClock
from resilience.configuration import (
    STACK_LIMITER,
    BreakerConfig,
    BulkheadConfig,
    LimiterConfig,
    RetryConfig,
    StackConfig,
)
from resilience.errors import (
    AttemptRecord,
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    FallbackFailed,
    LocalRejection,
    QueueTimeout,
    RateLimited,
    ResilienceError,
    RetryExhausted,
)
from resilience.events import Event, EventKind, Listener
from resilience.fallback import Fallback
from resilience.fallback_strategies import (
    DegradedService,
    FailOpen,
    FallbackConfig,
    ServeStale,
    StaticValue,
)
from resilience.health import HealthLevel, health_of
from resilience.limiter import LimiterDecision, RateLimiter
from resilience.metrics import MetricKind, Sample
from resilience.registry import BreakerRegistry
from resilience.retry import Retry
from resilience.scaling import scaled
from resilience.stack import DEFAULT_CLIENT, ResilienceStack, StackParts
from resilience.stale_cache import CachedValue, StaleCache

__all__ = [
    "DEFAULT_CLIENT",
    "STACK_LIMITER",
    "Attempt",
    "AttemptRecord",
    "BreakerConfig",
    "BreakerRegistry",
    "BreakerSnapshot",
    "BreakerState",
    "Bulkhead",
    "BulkheadConfig",
    "BulkheadFull",
    "BulkheadStats",
    "CachedValue",
    "ChaosFault",
    "ChaosFaultInjector",
    "ChaosPlan",
    "CircuitBreaker",
    "CircuitOpen",
    "Classifier",
    "Clock",
    "DeadlineExceeded",
    "DegradedService",
    "ErrorClass",
    "Event",
    "EventKind",
    "FailOpen",
    "Fallback",
    "FallbackConfig",
    "FallbackFailed",
    "HealthLevel",
    "InjectedUpstreamError",
    "LimiterConfig",
    "LimiterDecision",
    "Listener",
    "LocalRejection",
    "MetricKind",
    "Outcome",
    "Permit",
    "QueueTimeout",
    "RateLimited",
    "RateLimiter",
    "ResilienceError",
    "ResilienceStack",
    "Retry",
    "RetryConfig",
    "RetryExhausted",
    "Sample",
    "ServeStale",
    "Source",
    "StackConfig",
    "StackParts",
    "StackResult",
    "StaleCache",
    "StaticValue",
    "SystemClock",
    "TemporaryFailure",
    "create_stack",
    "default_classifier",
    "health_of",
    "retry_after_s",
    "scaled",
]
