"""Fetch a whole set of counties under the protection of a stack."""

from collections.abc import Callable

from resilience import Attempt
from shadow_atlas.boundaries.counties import County
from shadow_atlas.boundaries.county_walk import CountyWalk, JsonClient
from shadow_atlas.errors import UpstreamStatus
from shadow_atlas.portal_queries import MalformedAnswer
from shadow_atlas.protection import Stack

OPERATION = "boundary-refresh"
HTTP_OK = 200


class CountySource:
    """Ask TIGERweb for all counties.

    The circuit sees one outcome for the whole walk. Were each state a call of its own, the sound
    ones would keep the circuit closed over one that is broken for days.

    Args:
        client: Sends the requests.
        stack: Protects a walk.
        note_status: Told the HTTP status of each attempt, which the stack does not know.
    """

    def __init__(
        self, *, client: JsonClient, stack: Stack, note_status: Callable[..., None]
    ) -> None:
        self.stack = stack
        self._client = client
        self._note_status = note_status

    async def fetch(self, call_id: str) -> tuple[County, ...]:
        """Return the counties of all states; what earlier attempts fetched is not asked for again.

        Raises:
            LocalRejection: If the circuit is open.
            RetryExhausted: If every attempt failed with an error that may pass.
            UpstreamStatus: If TIGERweb answered with an error that will not.
            MalformedAnswer: If it answered with something that is no set of counties.
        """
        walk = CountyWalk(self._client)

        async def attempt(attempt: Attempt) -> tuple[County, ...]:
            try:
                counties = await walk.go(call_id=call_id, attempt=attempt.number)
            except UpstreamStatus as error:
                self._note(call_id, attempt, error.status)
                raise
            except MalformedAnswer:
                self._note(call_id, attempt, HTTP_OK)
                raise
            self._note(call_id, attempt, HTTP_OK)
            return counties

        result = await self.stack.call_detailed(attempt, operation=OPERATION, call_id=call_id)
        return result.value

    def _note(self, call_id: str, attempt: Attempt, status: int) -> None:
        self._note_status(call_id=call_id, attempt=attempt.number, status=status)
