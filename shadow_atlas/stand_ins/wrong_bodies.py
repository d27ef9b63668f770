"""Turn the body that a stand-in would send into the wrong one that a script asks for."""

import json
from dataclasses import dataclass, replace
from typing import assert_never

from shadow_atlas.stand_ins.scripts import Body

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


def wrong_payload(body: Body, *, right: Payload, error: Payload, size_bytes: int) -> Payload:
    """Return what `body` asks for.

    Args:
        body: The kind of wrong body.
        right: The body that was right.
        error: The upstream's own error document.
        size_bytes: Length that an oversized body shall have.
    """
    match body:
        case Body.MALFORMED:
            payload = Payload(content=json.dumps(_MALFORMED).encode())
        case Body.ERROR_IN_200:
            payload = error
        case Body.OVERSIZE:
            payload = replace(right, padding_bytes=max(0, size_bytes - len(right.content)))
        case Body.WRONG_TYPE:
            payload = Payload(content=_MAINTENANCE_PAGE, content_type=HTML_TYPE)
        case Body.TRUNCATED | Body.EMPTY | Body.CORRUPT | Body.TRICKLE:
            payload = replace(right, content=_damaged(body, right.content))
        case _:
            assert_never(body)
    return payload


def _damaged(body: Body, content: bytes) -> bytes:
    half = len(content) // 2
    if body is Body.TRUNCATED:
        return content[:half]
    if body is Body.CORRUPT:
        return flipped(content, at=half)
    return b"" if body is Body.EMPTY else content


def flipped(content: bytes, *, at: int) -> bytes:
    """Flip the lowest bit of the byte at `at`; there is none to flip in an empty body.

    >>> flipped(b"abc", at=1)
    b'acc'
    """
    if not content:
        return content
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
