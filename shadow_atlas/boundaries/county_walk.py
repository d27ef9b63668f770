"""Fetch the counties of all states from TIGERweb, and go on where the last attempt stopped."""

from typing import Protocol

from shadow_atlas.boundaries.counties import County, read_counties
from shadow_atlas.geometry import STATES
from shadow_atlas.portal_queries import TIGER, Layer, PageWalk, Query, query_form

COVERED_STATES = tuple(state.postal for state in STATES)
"""Postal codes of the states that lookups answer for."""

PAGE_SIZE = 1000  # four times the counties of Texas, which has the most


class JsonClient(Protocol):
    """Gets one document from a portal."""

    async def get_json(self, query: Query, *, call_id: str, attempt: int) -> object:
        """Return the parsed answer to `query`."""
        ...


class CountyWalk:
    """Collect the counties state by state, one request at a time.

    One walk serves all attempts of a refresh: what is there already is not asked for again.

    Args:
        client: Reaches TIGERweb.
    """

    def __init__(self, client: JsonClient) -> None:
        self._client = client
        self._form = query_form(TIGER.form)
        self._pages = {state: PageWalk() for state in COVERED_STATES}
        self._counties: dict[str, tuple[County, ...]] = {}

    async def go(self, *, call_id: str, attempt: int) -> tuple[County, ...]:
        """Return the counties of all states, in the order of states and codes.

        Raises:
            UpstreamStatus: If TIGERweb answered with an error.
            MalformedAnswer: If it answered with something that is no set of counties.
            httpx.HTTPError: If there is no complete answer.
        """
        for state in COVERED_STATES:
            if state not in self._counties:
                features = await self._fetch(state, call_id=call_id, attempt=attempt)
                self._counties[state] = read_counties(state, features)
        return tuple(county for state in COVERED_STATES for county in self._counties[state])

    async def _fetch(self, state: str, *, call_id: str, attempt: int) -> list[object]:
        pages = self._pages[state]
        while not pages.is_complete:
            query = self._form.query(
                state=state, layer=Layer.COUNTY, offset=pages.offset, page_size=PAGE_SIZE
            )
            document = await self._client.get_json(query, call_id=call_id, attempt=attempt)
            pages.add(self._form.read_page(document, page_size=PAGE_SIZE))
        return pages.features
