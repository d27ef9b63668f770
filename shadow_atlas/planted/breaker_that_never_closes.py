"""Plant: no number of good probes closes the circuit, so a recovered upstream stays throttled."""

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

SUCCESSES = 2**63  # more probes than any run has


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack, but ask for more probe successes than there will ever be."""
    stuck = None if config.breaker is None else replace(config.breaker, success_threshold=SUCCESSES)
    return create_sound_stack(
        replace(config, breaker=stuck),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
