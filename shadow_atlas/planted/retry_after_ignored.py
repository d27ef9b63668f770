"""Plant: nobody reads when an upstream wants to be asked again, so it is asked all the while."""

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from resilience import (
    Attempt,
    CircuitBreaker,
    Classifier,
    Clock,
    Listener,
    ResilienceStack,
    StackConfig,
    StackResult,
    create_stack as create_sound_stack,
    default_classifier,
)

T = TypeVar("T")


class Deaf:
    """A stack whose errors have lost their `retry_after_s` before the retry looks at them."""

    def __init__(self, sound: ResilienceStack) -> None:
        self._sound = sound

    def __getattr__(self, name: str) -> Any:
        """Be the sound stack in everything else."""
        return getattr(self._sound, name)

    async def call_detailed(
        self, fn: Callable[[Attempt], Awaitable[T]], **more: Any
    ) -> StackResult[T]:
        """Await `fn(attempt)` with all protection, and hear no Retry-After."""

        async def deafened(attempt: Attempt) -> T:
            try:
                return await fn(attempt)
            except Exception as error:
                if hasattr(error, "retry_after_s"):
                    error.retry_after_s = None
                raise

        return await self._sound.call_detailed(deafened, **more)


def create_stack(
    config: StackConfig,
    *,
    clock: Clock,
    rng: random.Random,
    classifier: Classifier = default_classifier,
    breaker: CircuitBreaker | None = None,
    listener: Listener | None = None,
) -> Deaf:
    """Build the sound stack behind errors that name no time."""
    return Deaf(
        create_sound_stack(
            config, clock=clock, rng=rng, classifier=classifier, breaker=breaker, listener=listener
        )
    )
