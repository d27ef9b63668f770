"""Extract the boundaries of one layer of one state from one portal."""

from collections.abc import Callable

from resilience import Attempt
from shadow_atlas.batch.extraction import Call, Extraction, Source
from shadow_atlas.batch.portals import Portals
from shadow_atlas.errors import UpstreamStatus
from shadow_atlas.portal_queries.catalogue import TIGER, Layer, Portal, primary_portal
from shadow_atlas.portal_queries.geojson import Boundaries, check_boundaries
from shadow_atlas.portal_queries.malformed import MalformedAnswer
from shadow_atlas.portal_queries.page_walk import PageWalk
from shadow_atlas.portal_queries.query_forms import query_form

NoteStatus = Callable[..., None]
HTTP_OK = 200


class StateBatchExtractor:
    """Ask the portals, each endpoint through a stack of its own.

    Args:
        portals: Clients and stacks.
        page_size: Features asked for at once.
        note_status: Told the HTTP status of each attempt, which the stacks do not know.
    """

    def __init__(self, *, portals: Portals, page_size: int, note_status: NoteStatus) -> None:
        self._portals = portals
        self._page_size = page_size
        self._note_status = note_status

    async def extract_layer(self, state: str, layer: Layer, *, call: Call) -> Extraction:
        """Extract from the state's own portal.

        Raises:
            LocalRejection: If the circuit of the portal is open.
            RetryExhausted: If every attempt failed with an error that may pass.
            UpstreamStatus: If the portal answered with an error that will not.
            MalformedAnswer: If it answered with something that is not boundary data.
        """
        return await self._extract(primary_portal(state), state, layer, call, Source.PRIMARY)

    async def extract_from_tiger(self, state: str, layer: Layer, *, call: Call) -> Extraction:
        """Extract from TIGERweb, the second-best source; raises as `extract_layer` does."""
        return await self._extract(TIGER, state, layer, call, Source.DEGRADED)

    async def _extract(
        self, portal: Portal, state: str, layer: Layer, call: Call, source: Source
    ) -> Extraction:
        walk = PageWalk()

        async def attempt(attempt: Attempt) -> Boundaries:
            number = call.next_attempt(portal.name)
            try:
                await self._walk(portal, state, layer, walk, call_id=call.call_id, attempt=number)
                boundaries = check_boundaries(walk.features)
            except UpstreamStatus as error:
                self._note(call, attempt, error.status)
                raise
            except MalformedAnswer:
                self._note(call, attempt, HTTP_OK)
                raise
            self._note(call, attempt, HTTP_OK)
            return boundaries

        result = await self._portals.stacks.of(portal, state).call_detailed(
            attempt, operation=portal.endpoint(state), call_id=call.call_id
        )
        return Extraction(
            state=state,
            layer=layer,
            source=source,
            portal=portal.name,
            boundaries=result.value,
            attempts=call.attempts,
        )

    def _note(self, call: Call, attempt: Attempt, status: int) -> None:
        self._note_status(call_id=call.call_id, attempt=attempt.number, status=status)

    async def _walk(
        self,
        portal: Portal,
        state: str,
        layer: Layer,
        walk: PageWalk,
        *,
        call_id: str,
        attempt: int,
    ) -> None:
        form = query_form(portal.form)
        client = self._portals.clients[portal.name]
        while not walk.is_complete:
            query = form.query(
                state=state, layer=layer, offset=walk.offset, page_size=self._page_size
            )
            document = await client.get_json(query, call_id=call_id, attempt=attempt)
            walk.add(form.read_page(document, page_size=self._page_size))
