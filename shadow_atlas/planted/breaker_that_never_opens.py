"""Plant: failures are counted and never open the circuit, so a dead upstream is called on."""

import random

from resilience import (
    BreakerState,
    CircuitBreaker,
    Classifier,
    Clock,
    Listener,
    ResilienceStack,
    StackConfig,
    create_stack as create_sound_stack,
    default_classifier,
)


class NeverOpens(CircuitBreaker):
    """A circuit breaker that ignores its own verdict."""

    def _move_to(self, state: BreakerState, reason: str) -> None:
        if state is not BreakerState.OPEN:
            super()._move_to(state, reason)


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack around a breaker that stays closed."""
    if breaker is None and config.breaker is not None:
        breaker = NeverOpens(config.name, config.breaker, clock=clock)
    return create_sound_stack(
        config, clock=clock, rng=rng, classifier=classifier, breaker=breaker, listener=listener
    )
