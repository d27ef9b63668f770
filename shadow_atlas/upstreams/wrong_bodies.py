"""Turn the body that a stand-in would send into the wrong one that a script asks for."""

import json
from dataclasses import dataclass
from typing import assert_never

from shadow_atlas.upstreams.scripts import Body

JSON_TYPE = "application/geo+json;charset=utf-8"
HTML_TYPE = "text/html;charset=utf-8"

_RING_OF_TWO = {"type": "Polygon", "coordinates": [[[-89.0, 43.0], [-89.1, 43.1]]]}
_MALFORMED = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {}, "geometry": _RING_OF_TWO}],
}
_MAINTENANCE_PAGE = b"<!doctype html><title>Maintenance</title><p>We will be back shortly.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The body of an answer.

    Args:
        content: Its bytes.
        content_type: Their media type.
        padding_bytes: White space to send after them, which JSON allows.
    """

    content: bytes
    content_type: str = JSON_TYPE
    padding_bytes: int = 0


def wrong_payload(body: Body, *, right: bytes, error: bytes, size_bytes: int) -> Payload:
    """Return what `body` asks for.

    Args:
        body: The kind of wrong body.
        right: The body that was right.
        error: The portal's own error document.
        size_bytes: Length that an oversized body shall have.
    """
    match body:
        case Body.MALFORMED:
            payload = Payload(content=json.dumps(_MALFORMED).encode())
        case Body.TRUNCATED:
            payload = Payload(content=right[: len(right) // 2])
        case Body.EMPTY:
            payload = Payload(content=b"")
        case Body.ERROR_IN_200:
            payload = Payload(content=error)
        case Body.TRICKLE:
            payload = Payload(content=right)
        case Body.OVERSIZE:
            payload = Payload(content=right, padding_bytes=max(0, size_bytes - len(right)))
        case Body.WRONG_TYPE:
            payload = Payload(content=_MAINTENANCE_PAGE, content_type=HTML_TYPE)
        case _:
            assert_never(body)
    return payload
