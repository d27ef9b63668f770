"""Run one extraction under the orchestrator's protection, and fall back when it fails."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from resilience import Attempt, BulkheadFull, DeadlineExceeded, ErrorClass, QueueTimeout
from resilience.errors import is_local_rejection, upstream_error
from shadow_atlas.batch.extraction import Call, Extraction
from shadow_atlas.errors import UpstreamRefused, classify
from shadow_atlas.events import EventSink
from shadow_atlas.portal_queries.catalogue import Layer
from shadow_atlas.portal_queries.geojson import check_text
from shadow_atlas.portal_queries.malformed import MalformedAnswer
from shadow_atlas.protection import Stack

Result = TypeVar("Result")
FALLBACK_NAME = "state-extraction"  # the orchestrator's stack, whose failures are covered


class Extractor(Protocol):
    """Reaches the upstreams."""

    async def extract_layer(self, state: str, layer: Layer, *, call: Call) -> Extraction:
        """Extract from the state's own portal."""
        ...

    async def extract_from_tiger(self, state: str, layer: Layer, *, call: Call) -> Extraction:
        """Extract from TIGERweb."""
        ...


class LastGood(Protocol):
    """Remembers extractions from portals."""

    async def last_good(self, state: str, layer: Layer) -> Extraction | None:
        """Return the last one, None if there is none."""
        ...


class Chaos(Protocol):
    """May make a call go wrong on purpose; `resilience.ChaosFaultInjector` is one."""

    async def run(self, work: Callable[[], Awaitable[Result]], *, key: str) -> Result:
        """Await `work()`, with whatever fault is due for the call `key`."""
        ...


class BatchOrchestrator:
    """Extract one layer of one state at a time, at most five at once over all portals.

    The orchestrator's stack stands around the extractor's. Their retries do not multiply: what
    the inner stack gave up on is not retryable to the outer one, which retries only what goes
    wrong before a portal is asked.

    Args:
        extractor: Reaches the upstreams.
        stack: Breaker, retry and bulkhead over all portals.
        chaos: Stands between the stack and `extract_layer`.
        last_good: Earlier extractions.
        events: Takes `fallback` records.
    """

    def __init__(
        self,
        *,
        extractor: Extractor,
        stack: Stack,
        chaos: Chaos,
        last_good: LastGood,
        events: EventSink,
    ) -> None:
        self.extractor = extractor
        self.stack = stack
        self._chaos = chaos
        self._last_good = last_good
        self._events = events

    async def execute_task(self, state: str, layer: Layer, *, call: Call) -> Extraction:
        """Extract from the state's own portal; no fallback.

        Raises:
            LocalRejection: If a circuit is open or all slots and places in the queue are taken.
            RetryExhausted: If every attempt failed with an error that may pass.
            Exception: What the extractor raised, if repeating it is of no use.
        """

        async def attempt(_attempt: Attempt) -> Extraction:
            return await self._extract_under_chaos(state, layer, call)

        result = await self.stack.call_detailed(
            attempt, operation=f"{state}-{layer}", call_id=call.call_id
        )
        return result.value

    async def fall_back(
        self, state: str, layer: Layer, *, call: Call, error: Exception
    ) -> Extraction | None:
        """Return a second-best extraction: TIGERweb's, or else the last good one.

        A fallback that fails itself makes way for the next one, and never hides `error`.

        Args:
            state: Postal code.
            layer: Kind of boundary.
            call: The call that failed.
            error: Why; it is named in the record.

        Returns:
            The extraction, None if there is none.
        """
        for source in (self._from_tiger, self._from_last_good):
            extraction = await source(state, layer, call)
            if extraction is not None:
                self._record(extraction, call=call, error=error)
                return extraction
        return None

    async def _extract_under_chaos(self, state: str, layer: Layer, call: Call) -> Extraction:
        """Extract, and check again what came out if a fault has changed it on the way."""
        extractions: list[Extraction] = []

        async def work() -> str:
            extractions.append(await self.extractor.extract_layer(state, layer, call=call))
            return extractions[-1].boundaries.text

        text = await self._chaos.run(work, key=call.call_id)
        extraction = extractions[-1]
        if text == extraction.boundaries.text:
            return extraction
        return replace(extraction, boundaries=check_text(text))

    async def _from_tiger(self, state: str, layer: Layer, call: Call) -> Extraction | None:
        try:
            return await self.extractor.extract_from_tiger(state, layer, call=call)
        except Exception:  # noqa: BLE001 - recorded as attempts; the next fallback has its turn
            return None

    async def _from_last_good(self, state: str, layer: Layer, call: Call) -> Extraction | None:
        try:
            extraction = await self._last_good.last_good(state, layer)
        except Exception:  # noqa: BLE001 - recorded as an attempt on the database
            return None
        return None if extraction is None else replace(extraction, attempts=call.attempts)

    def _record(self, extraction: Extraction, *, call: Call, error: Exception) -> None:
        self._events.emit(
            "fallback",
            name=FALLBACK_NAME,
            call_id=call.call_id,
            source=extraction.source.value,
            age_s=extraction.age_s,
            error_class=None if is_local_rejection(error) else failure_class(error).value,
        )


def is_permanent(error: Exception) -> bool:
    """Say whether no later attempt can succeed: the answer is broken, or the request is refused.

    >>> is_permanent(MalformedAnswer("a ring that is not closed")), is_permanent(TimeoutError())
    (True, False)
    """
    return isinstance(upstream_error(error), MalformedAnswer | UpstreamRefused)


def is_capacity_rejection(error: Exception) -> bool:
    """Say whether this service was too busy, which no other source would mend."""
    return isinstance(error, BulkheadFull | QueueTimeout)


def failure_class(error: Exception) -> ErrorClass:
    """Return the class of what the upstream did, the layer's wrappers opened.

    A call that ran out of time in its first attempt has no error inside: the upstream was slow.
    """
    inner = upstream_error(error)
    return ErrorClass.NETWORK_TIMEOUT if isinstance(inner, DeadlineExceeded) else classify(inner)
