"""Plant: every error counts as one that may pass, so what is broken for good is asked for again."""

import random

from resilience import (
    CircuitBreaker,
    Classifier,
    Clock,
    ErrorClass,
    Listener,
    ResilienceStack,
    StackConfig,
    create_stack as create_sound_stack,
    default_classifier,
)


def hopeful(_error: Exception, /) -> ErrorClass:
    """Return that it may pass, whatever it is."""
    return ErrorClass.TEMPORARY_FAILURE


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,  # noqa: ARG001 -- it is not asked
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack, but classify every error as temporary."""
    return create_sound_stack(
        config,
        clock=clock,
        rng=rng,
        classifier=hopeful,
        breaker=breaker,
        listener=listener,
    )
