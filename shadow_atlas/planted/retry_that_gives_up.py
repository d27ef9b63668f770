"""Plant: the first failure is final, so every lost packet reaches the user."""

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
    """Build the sound stack, but let it attempt once."""
    retry = None if config.retry is None else replace(config.retry, max_attempts=1)
    return create_sound_stack(
        replace(config, retry=retry),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
