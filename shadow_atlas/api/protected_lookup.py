"""Put the resilience layer between a request and the database."""

from dataclasses import dataclass
from typing import Any

from resilience import Attempt, ChaosFaultInjector, HealthLevel
from resilience.errors import is_local_rejection
from shadow_atlas.answers import Refusal
from shadow_atlas.api.coordinates import Coordinate
from shadow_atlas.api.lookup import DistrictLookup, Found
from shadow_atlas.boundaries import BoundaryVersion
from shadow_atlas.protection import Stack

OPERATION = "district-lookup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The districts at a coordinate, and where the answer came from.

    Args:
        districts: In the form that answers have, state first; empty outside the coverage, which
            is an answer like any other: it is cached, and no failure of the database.
        source: `primary`, or the fallback that served it.
        age_s: Age of an answer from the stale cache, seconds; None for a fresh one.
        boundaries: The set of boundaries that it rests on, also when it comes from the cache.
    """

    districts: list[dict[str, str]]
    source: str
    age_s: float | None
    boundaries: BoundaryVersion | None

    def json(self) -> dict[str, Any]:
        """Return the form that answers have."""
        return {
            "districts": self.districts,
            "source": self.source,
            "age_s": self.age_s,
            "boundaries": None if self.boundaries is None else self.boundaries.json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labelled:
    """What the stale cache keeps: districts, and the set of boundaries that they are of."""

    districts: list[dict[str, str]]
    boundaries: BoundaryVersion | None


class ProtectedLookup:
    """Look coordinates up under the protection of a stack.

    Args:
        stack: Protects the calls.
        lookup: Makes them.
        injector: Makes them go wrong, if a test wants that.
    """

    def __init__(
        self, stack: Stack, lookup: DistrictLookup, *, injector: ChaosFaultInjector
    ) -> None:
        self._stack = stack
        self._lookup = lookup
        self._injector = injector

    async def find(self, coordinate: Coordinate, *, call_id: str, client: str) -> Answer:
        """Return the districts at a coordinate, from the stale cache if need be.

        Raises:
            LocalRejection: If the stack refused the call and had no earlier answer.
            DeadlineExceeded: If the time was over before the database was asked.
            Refusal: 503 while the service is in a critical state, 500 for other failures.
        """

        async def attempt(attempt: Attempt) -> _Labelled:
            found: list[Found] = []

            async def ask(_attempt: Attempt) -> list[dict[str, str]]:
                found.append(await self._lookup.find(coordinate))
                # JSON values, because an injected fault can damage those and nothing else.
                return [district.json() for district in found[0].districts]

            districts = await self._injector.wrap_attempt(ask)(attempt)
            return _Labelled(districts=districts, boundaries=found[0].boundaries)

        try:
            result = await self._stack.call_detailed(
                attempt,
                client=client,
                cache_key=coordinate.cache_key,
                operation=OPERATION,
                call_id=call_id,
            )
        except Exception as error:
            if is_local_rejection(error):
                raise
            raise self._refusal() from error
        return Answer(
            districts=result.value.districts,
            source=str(result.source),
            age_s=result.age_s,
            boundaries=result.value.boundaries,
        )

    def _refusal(self) -> Refusal:
        if self._stack.health() is HealthLevel.CRITICAL:
            return Refusal(
                status=503,
                code="SERVICE_DEGRADED",
                message="service temporarily degraded",
                retry_after_s=0.0,
            )
        return Refusal(
            status=500, code="INTERNAL_ERROR", message="the request could not be answered"
        )
