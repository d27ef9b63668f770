"""One breaker per upstream, made on first use."""

from collections.abc import Iterator

from resilience.breaker import CircuitBreaker
from resilience.clock import Clock
from resilience.configuration import BreakerConfig
from resilience.events import Listener


class BreakerRegistry:
    """Hands out the breaker of an upstream, always the same one for the same name.

    Args:
        config: What breakers are made from unless `get` says otherwise.
        clock: Handed to each of them.
        listener: Handed to each of them.
        max_breakers: Bound of the table; names come from a configuration, not from clients.
    """

    def __init__(
        self,
        config: BreakerConfig,
        *,
        clock: Clock,
        listener: Listener | None = None,
        max_breakers: int = 1000,  # all state portals and gateways, ten times over
    ) -> None:
        self._config = config
        self._clock = clock
        self._listener = listener
        self._max_breakers = max_breakers
        self._breakers: dict[str, CircuitBreaker] = {}

    def get(self, name: str, config: BreakerConfig | None = None) -> CircuitBreaker:
        """Return the breaker called `name`, made now if there is none.

        Raises:
            ValueError: If it exists with another configuration than the one asked for, which
                would otherwise be ignored in silence, or if the table is full.
        """
        breaker = self._breakers.get(name)
        if breaker is None:
            return self._add(name, config or self._config)
        if config is not None and config != breaker.config:
            raise ValueError(f"breaker {name!r} exists with {breaker.config}, asked for {config}")
        return breaker

    def __iter__(self) -> Iterator[CircuitBreaker]:
        return iter(tuple(self._breakers.values()))

    def __len__(self) -> int:
        return len(self._breakers)

    def _add(self, name: str, config: BreakerConfig) -> CircuitBreaker:
        if len(self._breakers) >= self._max_breakers:
            raise ValueError(f"breaker {name!r} would exceed max_breakers={self._max_breakers}")
        breaker = CircuitBreaker(name, config, clock=self._clock, listener=self._listener)
        self._breakers[name] = breaker
        return breaker
