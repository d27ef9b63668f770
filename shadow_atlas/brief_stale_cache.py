"""Make the age limit of the stale cache short enough to be met in a run.

The limit of an hour is right for districts and too long for a scenario. Chosen by
`ATLAS_RESILIENCE=shadow_atlas.brief_stale_cache:create_stack`, the sound layer gets a limit of
`MAX_AGE_S`; nothing else differs.
"""

import random
from dataclasses import replace
from typing import Final

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
from shadow_atlas.presets import STALE_CACHE_MAX_AGE_S

MAX_AGE_S: Final = 15.0
"""At time scale 1; a configuration that was scaled before keeps its scale."""


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> ResilienceStack:
    """Build the sound stack around a stale cache whose answers grow too old within seconds."""
    strategies = () if config.fallback is None else config.fallback.strategies
    brief = tuple(
        replace(each, max_age_s=each.max_age_s * MAX_AGE_S / STALE_CACHE_MAX_AGE_S)
        if isinstance(each, ServeStale)
        else each
        for each in strategies
    )
    return create_sound_stack(
        replace(config, fallback=FallbackConfig(strategies=brief) if brief else None),
        clock=clock,
        rng=rng,
        classifier=classifier,
        breaker=breaker,
        listener=listener,
    )
