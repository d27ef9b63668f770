"""Plant: an attempt may take as long as the whole call, so one slow answer uses up all the time."""

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
    """Build the sound stack, but bound no attempt; the total timeout still holds."""
    retry = None if config.retry is None else replace(config.retry, attempt_timeout_s=None)
    return create_sound_stack(
        replace(config, retry=retry),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
