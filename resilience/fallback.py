"""Fallback: answer something useful when there is no real answer."""

from collections.abc import Callable
from typing import TypeVar, assert_never

from resilience.calls import Call, Source, StackResult
from resilience.classification import Classifier, ErrorClass, class_of, default_classifier
from resilience.clock import Clock
from resilience.errors import (
    DeadlineExceeded,
    FallbackFailed,
    is_local_rejection,
    upstream_error,
)
from resilience.events import Event, EventKind, Listener, Listeners
from resilience.fallback_strategies import (
    DegradedService,
    FailOpen,
    FallbackConfig,
    ServeStale,
    StaticValue,
    Strategy,
)
from resilience.stale_cache import StaleCache

T = TypeVar("T")


class Fallback:
    """Tries its strategies in the order given; the first that has something to serve answers.

    It is offered every Exception, local rejections included, and never a cancel. Not thread-safe.

    Args:
        name: Names the fallback in errors and events.
        config: The strategies.
        clock: Measures the age of cached answers.
        classifier: Names the class of the hidden error in events.
        listener: Hears when a fallback answers; more can subscribe.

    Attributes:
        cache: The stale cache, None if no strategy uses one.
    """

    def __init__(
        self,
        name: str,
        config: FallbackConfig,
        *,
        clock: Clock,
        classifier: Classifier = default_classifier,
        listener: Listener | None = None,
    ) -> None:
        self.name = name
        self.config = config
        self.listeners = Listeners(listener)
        self.cache = _cache(config, clock)
        self._now = clock.monotonic
        self._classifier = classifier
        self.activations = 0

    def remember(self, key: str | None, value: object) -> None:
        """Keep a success for bad times, if there is a cache and the call has a key."""
        if self.cache is not None and key is not None:
            self.cache.put(key, value)

    async def rescue(self, call: Call[T], error: Exception) -> StackResult[object]:
        """Return what is served instead of `error`.

        Raises:
            FallbackFailed: A strategy failed and none after it had an answer; `error` is the
                `__cause__`.
            Exception: `error` itself, the same object, if no strategy applies.
        """
        failure: Exception | None = None
        for strategy in self.config.strategies:
            try:
                result = await self._try(strategy, call, error)
            except Exception as strategy_error:  # noqa: BLE001 - the next strategy has its turn
                failure = strategy_error
            else:
                if result is not None:
                    self._announce(call, result, error)
                    return result
        if failure is not None:
            raise FallbackFailed(self.name, failure) from error
        raise error

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of activations from now on; call the result to end it."""
        return self.listeners.subscribe(listener)

    async def _try(
        self, strategy: Strategy, call: Call[T], error: Exception
    ) -> StackResult[object] | None:
        match strategy:
            case StaticValue():
                return _result(strategy.value, Source.STATIC, call, error)
            case ServeStale():
                return self._stale(call, error)
            case DegradedService():
                answer = await strategy.answer(error)
                return _result(answer, Source.DEGRADED, call, error)
            case FailOpen():
                if not strategy.enabled:
                    return None
                return _result(strategy.allow, Source.FAIL_OPEN, call, error)
            case _:
                assert_never(strategy)

    def _stale(self, call: Call[T], error: Exception) -> StackResult[object] | None:
        if self.cache is None or call.cache_key is None:
            return None
        cached = self.cache.get(call.cache_key)
        if cached is None:
            return None
        return _result(cached.value, Source.STALE_CACHE, call, error, age_s=cached.age_s)

    def _class_of(self, error: Exception) -> str | None:
        """Return the class of the upstream error; a local rejection has none."""
        if is_local_rejection(error):
            return None
        inner = upstream_error(error)
        if isinstance(inner, DeadlineExceeded):  # cut in its first attempt
            return ErrorClass.NETWORK_TIMEOUT.value
        return class_of(inner, self._classifier, self.listeners).value

    def _announce(self, call: Call[T], result: StackResult[object], error: Exception) -> None:
        self.activations += 1
        if not self.listeners.active:
            return
        self.listeners.announce(
            Event(
                kind=EventKind.FALLBACK_ACTIVATED,
                component=self.name,
                time_s=self._now(),
                fields={
                    "operation": call.operation,
                    "call_id": call.call_id,
                    "source": result.source.value,
                    "age_s": result.age_s,
                    "error_class": self._class_of(error),
                },
            )
        )


def _result(
    value: object, source: Source, call: Call[T], error: Exception, *, age_s: float | None = None
) -> StackResult[object]:
    return StackResult(
        value=value,
        source=source,
        degraded=True,
        age_s=age_s,
        error=error,
        attempts=call.attempts,
    )


def _cache(config: FallbackConfig, clock: Clock) -> StaleCache | None:
    for strategy in config.strategies:
        if isinstance(strategy, ServeStale):
            return StaleCache(
                clock=clock, max_age_s=strategy.max_age_s, max_entries=strategy.max_entries
            )
    return None
