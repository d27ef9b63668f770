"""Plant: an answer from the cache is served however old it is, so outages look like good days."""

import random
from dataclasses import replace

from resilience import (
    CircuitBreaker,
    Classifier,
    Clock,
    FallbackConfig,
    Listener,
    ResilienceStack,
    ServeStale,
    StackConfig,
    create_stack as create_sound_stack,
    default_classifier,
)

MAX_AGE_S = 1e12  # longer than anything has been running


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack, but let its stale cache serve answers of any age."""
    strategies = () if config.fallback is None else config.fallback.strategies
    ageless = tuple(
        replace(each, max_age_s=MAX_AGE_S) if isinstance(each, ServeStale) else each
        for each in strategies
    )
    return create_sound_stack(
        replace(config, fallback=FallbackConfig(strategies=ageless) if ageless else None),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
