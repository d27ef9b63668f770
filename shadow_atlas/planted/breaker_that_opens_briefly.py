"""Plant: a circuit stays open for a quarter of its time, so a struggling upstream gets no rest."""

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

PART = 0.25


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack, but cut its open time short."""
    hasty = config.breaker
    if hasty is not None:
        hasty = replace(hasty, open_duration_s=hasty.open_duration_s * PART)
    return create_sound_stack(
        replace(config, breaker=hasty),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
