"""Get one JSON document from a portal, within a limit of bytes.

The time for a request is bounded by the stack around it, which cuts the whole attempt: the
timeouts of the client alone would let an upstream go on for ever that sends a byte now and then.
"""

from collections.abc import Mapping

import httpx

from shadow_atlas import headers
from shadow_atlas.clock import Clock
from shadow_atlas.environment import Address
from shadow_atlas.errors import response_error
from shadow_atlas.portal_queries.geojson import parse_json
from shadow_atlas.portal_queries.malformed import MalformedAnswer
from shadow_atlas.portal_queries.query_forms import Query
from shadow_atlas.upstream_client import upstream_client


class PortalClient:
    """Send requests to one portal over a pool of connections of its own.

    Args:
        address: Where the portal listens.
        timeout_s: Seconds for connecting, for each read, and for a free connection.
        body_limit_bytes: Largest body that is read.
        clock: Dates answers, for a `Retry-After` that names a moment.
    """

    def __init__(
        self, *, address: Address, timeout_s: float, body_limit_bytes: int, clock: Clock
    ) -> None:
        self._body_limit_bytes = body_limit_bytes
        self._clock = clock
        self._client = upstream_client(address, timeout_s=timeout_s)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def get_json(self, query: Query, *, call_id: str, attempt: int) -> object:
        """Return the parsed answer to `query`.

        Args:
            query: What to ask.
            call_id: Identifier of the call, forwarded.
            attempt: Number of the attempt, forwarded.

        Raises:
            UpstreamStatus: If the answer is not a success.
            MalformedAnswer: If the body is too large or is not JSON.
            httpx.HTTPError: If there is no complete answer.
        """
        sent = {headers.CALL_ID: call_id, headers.ATTEMPT: str(attempt)}
        async with self._client.stream(
            "GET", query.path, params=query.params, headers=sent
        ) as response:
            if not response.is_success:
                raise response_error(response, now_wall_s=self._clock.wall())
            self._check_announced(response.headers)
            body = await self._read(response)
        return parse_json(body)

    def _check_announced(self, answer_headers: Mapping[str, str]) -> None:
        announced = answer_headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._body_limit_bytes:
            raise self._too_large()

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._body_limit_bytes:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> MalformedAnswer:
        return MalformedAnswer(f"the body is larger than {self._body_limit_bytes} bytes")
