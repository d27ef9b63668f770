"""Put a stack together from a configuration."""

import random

from resilience.breaker import CircuitBreaker
from resilience.bulkhead import Bulkhead
from resilience.classification import Classifier, default_classifier
from resilience.clock import Clock
from resilience.configuration import RetryConfig, StackConfig
from resilience.events import Listener
from resilience.fallback import Fallback
from resilience.limiter import RateLimiter
from resilience.retry import Retry
from resilience.stack import ResilienceStack, StackParts

# A stack that is to retry nothing still makes its one attempt through the same code.
_ONE_ATTEMPT = RetryConfig(max_attempts=1, total_timeout_s=None, retryable=frozenset())


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Put a stack together.

    Args:
        config: Which parts, and their settings.
        clock: The only source of time of all parts.
        rng: Draws the jitter.
        classifier: Tells what may be retried.
        breaker: Take this one, which other stacks may share, instead of making one.
        listener: Hears of everything, from a shared breaker too, and of each event once.
    """
    name = config.name
    if breaker is None and config.breaker is not None:
        breaker = CircuitBreaker(name, config.breaker, clock=clock)
    parts = StackParts(
        retry=Retry(
            name, config.retry or _ONE_ATTEMPT, clock=clock, rng=rng, classifier=classifier
        ),
        breaker=breaker,
        bulkhead=None if config.bulkhead is None else Bulkhead(name, config.bulkhead, clock=clock),
        limiter=None if config.limiter is None else RateLimiter(name, config.limiter, clock=clock),
        fallback=None
        if config.fallback is None
        else Fallback(name, config.fallback, clock=clock, classifier=classifier),
    )
    stack = ResilienceStack(name, parts, clock=clock)
    if listener is not None:
        stack.subscribe(listener)
    return stack
