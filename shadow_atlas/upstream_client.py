"""The HTTP client of an upstream: a pool of its own, in the clear, past every proxy."""

import ssl
from collections.abc import Mapping
from typing import Final

import httpx

from shadow_atlas import headers
from shadow_atlas.environment import Address

CONNECTIONS_MAX: Final = 100  # the bulkhead bounds them; a narrower pool would be a second queue


def upstream_client(
    address: Address, *, timeout_s: float, extra_headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """Return a client for one upstream.

    A pool for each keeps a hanging one from taking the connections of the others. Variables of
    the environment that name proxies are ignored, redirects are not followed: an upstream that
    moved is a change of configuration. Addresses are `host:port`, so no certificates are loaded,
    which take 20 ms of a processor for each client.

    Args:
        address: Where the upstream listens.
        timeout_s: Seconds for connecting, for each read, and for a free connection.
        extra_headers: Sent with every request, besides those that every upstream gets.
    """
    return httpx.AsyncClient(
        base_url=f"http://{address}",
        headers={**dict(headers.UPSTREAM_REQUEST_HEADERS), **(extra_headers or {})},
        timeout=httpx.Timeout(timeout_s),
        limits=httpx.Limits(
            max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX
        ),
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        follow_redirects=False,
        trust_env=False,
    )
