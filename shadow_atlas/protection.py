"""Say what a service expects of a resilience layer, so that any other can take its place."""

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from resilience import (
    Attempt,
    CircuitBreaker,
    Classifier,
    Clock,
    HealthLevel,
    Listener,
    Sample,
    StackConfig,
    StackResult,
)

T = TypeVar("T")


class Stack(Protocol):
    """Protects the calls of one upstream."""

    async def call_detailed(
        self,
        fn: Callable[[Attempt], Awaitable[T]],
        *,
        client: str | None = None,
        cache_key: str | None = None,
        operation: str | None = None,
        call_id: str | None = None,
    ) -> StackResult[T]:
        """Await `fn(attempt)` with all protection, and say where the answer came from."""
        ...

    def health(self) -> HealthLevel:
        """Return the level at this instant."""
        ...

    def metrics(self) -> Iterable[Sample]:
        """Return all metrics at this instant."""
        ...


class StackFactory(Protocol):
    """Builds stacks; what `ATLAS_RESILIENCE` names has this form."""

    def __call__(
        self,
        config: StackConfig,
        *,
        clock: Clock,
        rng: random.Random,
        classifier: Classifier,
        breaker: CircuitBreaker | None = None,
        listener: Listener | None = None,
    ) -> Stack:
        """Build a stack from `config`, or around a breaker that several stacks share."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StackKit:
    """What every stack of the service is made with.

    Args:
        create: The factory that the service was told to use.
        clock: Times open circuits and back-offs.
        rng: Root of the jitter; each stack draws from a stream of its own.
        classifier: Maps upstream errors to classes.
        listener: Takes what the stacks announce.
    """

    create: StackFactory
    clock: Clock
    rng: random.Random
    classifier: Classifier
    listener: Listener

    def build(self, config: StackConfig, *, listener: Listener | None = None) -> Stack:
        """Build one stack; `listener` replaces the usual one."""
        return self.create(
            config,
            clock=self.clock,
            rng=random.Random(self.rng.getrandbits(64)),
            classifier=self.classifier,
            listener=listener or self.listener,
        )
