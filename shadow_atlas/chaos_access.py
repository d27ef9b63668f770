"""Let nobody but the harness of this host reach the endpoints under `/chaos`."""

import hmac
import ipaddress

from starlette.requests import Request

from shadow_atlas import headers
from shadow_atlas.answers import Refusal


def require_chaos_access(request: Request, *, token: str | None) -> None:
    """Let a request under `/chaos` pass only from this host and with the token.

    Raises:
        Refusal: 404, the same as for an unknown path.
    """
    given = request.headers.get(headers.CHAOS_TOKEN, "")
    is_known = token is not None and hmac.compare_digest(given.encode(), token.encode())
    if not (is_known and _is_loopback(request)):
        raise Refusal(status=404, code="NOT_FOUND", message="Not Found")


def _is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
