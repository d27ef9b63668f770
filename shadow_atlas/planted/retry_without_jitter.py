"""Plant: pauses are not spread, so calls that failed together come back together."""

import random
from dataclasses import replace

from resilience import (
    CircuitBreaker,
    Classifier,
    Clock,
    Listener,
    ResilienceStack,
    StackConfig,
    create_stack as create_sound_stack,
    default_classifier,
)


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack, but without jitter; each pause is as long as it is on average."""
    retry = None if config.retry is None else replace(config.retry, jitter=0.0)
    return create_sound_stack(
        replace(config, retry=retry),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
