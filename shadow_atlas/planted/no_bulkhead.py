"""Plant: nothing limits how many calls run at once, so those that are stuck take everything."""

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
    """Build the sound stack, but without its bulkhead."""
    return create_sound_stack(
        replace(config, bulkhead=None),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
