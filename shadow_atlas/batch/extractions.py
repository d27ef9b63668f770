"""Answer a single extraction at once: the portal's, or a fallback's, or a refusal."""

from resilience import ErrorClass, HealthLevel
from resilience.errors import is_local_rejection, upstream_error
from shadow_atlas.answers import Refusal
from shadow_atlas.batch.extraction import Call, Extraction
from shadow_atlas.batch.memory import Memory
from shadow_atlas.batch.orchestrator import (
    BatchOrchestrator,
    failure_class,
    is_capacity_rejection,
    is_permanent,
)
from shadow_atlas.errors import UpstreamStatus
from shadow_atlas.portal_queries.catalogue import Layer, has_layer

RETRY_AFTER_S = 1.0  # nobody can tell when a portal is back: soon


class Extractions:
    """Extract while somebody waits.

    A queue can wait for a circuit to close, a caller cannot: here an open circuit leads to the
    fallbacks. A full bulkhead does not, because another source does not make this service less
    busy; the caller is told to come back.

    Args:
        orchestrator: Runs the extraction.
        memory: Keeps good extractions for worse times.
    """

    def __init__(self, *, orchestrator: BatchOrchestrator, memory: Memory) -> None:
        self._orchestrator = orchestrator
        self._memory = memory

    async def extract(self, state: str, layer: Layer, *, call: Call) -> Extraction:
        """Return the boundaries from the best source that has them.

        Raises:
            LocalRejection: If this service is too busy, or a circuit is open and no fallback has
                anything.
            Refusal: 422 for a layer that the state does not have, 502 if the portal's answer is
                of no use, 503 if the portal may be back soon, 500 for what nobody foresaw.
        """
        if not has_layer(state, layer):
            message = f"{state} has no {layer} layer: its legislature has one chamber"
            raise Refusal(status=422, code="NO_SUCH_LAYER", message=message)
        try:
            extraction = await self._orchestrator.execute_task(state, layer, call=call)
        except Exception as error:  # noqa: BLE001 - each kind has its answer
            return await self._second_best(state, layer, call, error)
        await self._memory.keep(extraction)
        return extraction

    async def _second_best(
        self, state: str, layer: Layer, call: Call, error: Exception
    ) -> Extraction:
        if is_capacity_rejection(error):
            raise error
        if not is_permanent(error):
            fallback = await self._orchestrator.fall_back(state, layer, call=call, error=error)
            if fallback is not None:
                return fallback
        if is_local_rejection(error):
            raise error
        raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> Refusal:
        if is_permanent(error):
            message = f"the portal's answer is of no use: {upstream_error(error)}"
            return Refusal(status=502, code="UPSTREAM_ANSWER_UNUSABLE", message=message)
        if self._orchestrator.stack.health() is HealthLevel.CRITICAL:
            return _degraded()
        if failure_class(error) is not ErrorClass.PERMANENT:
            return _degraded()
        if isinstance(upstream_error(error), UpstreamStatus):
            return Refusal(
                status=502, code="UPSTREAM_FAILED", message="the portal answered with an error"
            )
        return Refusal(
            status=500, code="INTERNAL_ERROR", message="the request could not be answered"
        )


def _degraded() -> Refusal:
    return Refusal(
        status=503,
        code="SERVICE_DEGRADED",
        message="the portal does not answer, and nothing else has its boundaries",
        retry_after_s=RETRY_AFTER_S,
    )
