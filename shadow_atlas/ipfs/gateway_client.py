"""Get one block from a gateway, within a limit of bytes.

The time is bounded by the stack around it, which cuts the whole attempt: the timeouts of the
client alone would let a gateway go on for ever that sends a byte now and then.
"""

from collections.abc import Mapping
from typing import Final

import httpx

from shadow_atlas import headers
from shadow_atlas.clock import Clock
from shadow_atlas.content_addressing import BlockMismatch, Cid
from shadow_atlas.environment import Address
from shadow_atlas.errors import response_error
from shadow_atlas.upstream_client import upstream_client

_HEADERS: Final = {
    "Accept": "application/vnd.ipld.raw",
    "Accept-Encoding": "identity",  # decoded here, a small body could grow to any size
}


class GatewayClient:
    """Send requests to one gateway over a pool of connections of its own.

    Redirects are not followed: what a gateway answers is verified, where it could send us is not.

    Args:
        address: Where the gateway listens.
        timeout_s: Seconds for connecting, for each read, and for a free connection.
        block_limit_bytes: Largest block that is read.
        clock: Dates answers, for a `Retry-After` that names a moment.
    """

    def __init__(
        self, *, address: Address, timeout_s: float, block_limit_bytes: int, clock: Clock
    ) -> None:
        self._block_limit_bytes = block_limit_bytes
        self._clock = clock
        self._client = upstream_client(address, timeout_s=timeout_s, extra_headers=_HEADERS)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def get_block(self, cid: Cid, *, call_id: str, attempt: int) -> bytes:
        """Return what the gateway sends as the block `cid`; it is not verified here.

        Args:
            cid: Which block.
            call_id: Identifier of the call, forwarded.
            attempt: Number of the attempt, forwarded.

        Raises:
            UpstreamStatus: If the answer is not a success.
            BlockMismatch: If the body is larger than any block.
            httpx.HTTPError: If there is no complete answer.
        """
        sent = {headers.CALL_ID: call_id, headers.ATTEMPT: str(attempt)}
        async with self._client.stream(
            "GET", f"/ipfs/{cid}", params={"format": "raw"}, headers=sent
        ) as response:
            if not response.is_success:
                raise response_error(response, now_wall_s=self._clock.wall())
            self._check_announced(response.headers)
            return await self._read(response)

    def _check_announced(self, answer_headers: Mapping[str, str]) -> None:
        announced = answer_headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._block_limit_bytes:
            raise self._too_large()

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._block_limit_bytes:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> BlockMismatch:
        return BlockMismatch(f"the body is larger than {self._block_limit_bytes} bytes")
