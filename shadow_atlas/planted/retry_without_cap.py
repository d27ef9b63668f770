"""Plant: `max_attempts` is ignored, so a failing upstream is hit again and again."""

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

ATTEMPTS = 25  # the defect has no cap; ours keeps a forgotten run from storming for ever


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack, but let it attempt 25 times; its deadline still holds."""
    retry = None if config.retry is None else replace(config.retry, max_attempts=ATTEMPTS)
    return create_sound_stack(
        replace(config, retry=retry),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
