"""Answers of the API, byte for byte as the vendor's server writes them."""

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from fault_injectors.proxy.live_proxy import InstalledToxic, LiveProxy
from fault_injectors.toxics import float32

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}

STATUS_TEXTS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    301: "Moved Permanently",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer.

    Args:
        status: Status code.
        body: The body; empty for none.
        content_type: Its type; None if there is no body.
        headers: Further header lines.
    """

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=())


class ApiError(Exception):
    """An error answer: a status and the vendor's text where there is one."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text

    def answer(self) -> Answer:
        """Return the answer; it is JSON, and the vendor calls it plain text."""
        body = encode({"error": self.text, "status": self.status}) + b"\n"
        return plain(self.status, body)


def plain(status: int, body: bytes) -> Answer:
    """Return an answer that browsers must not sniff into anything else."""
    return Answer(
        status=status,
        body=body,
        content_type=TEXT,
        headers=(("X-Content-Type-Options", "nosniff"),),
    )


def shown(value: object, *, status: int = 200) -> Answer:
    """Return an answer that shows `value` as JSON."""
    return Answer(status=status, body=encode(value), content_type=JSON)


def encode(value: object) -> bytes:
    """Return compact JSON with the vendor's escapes, and everything else as it is."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(ESCAPES).encode("utf-8", "replace")


def proxy_shape(proxy: LiveProxy) -> dict[str, object]:
    """Return a proxy as the API shows it; the empty `Logger` is really there since 2.5."""
    return {
        "name": proxy.name,
        "listen": proxy.listen,
        "upstream": proxy.upstream,
        "enabled": proxy.enabled,
        "Logger": {},
        "toxics": toxic_shapes(proxy.toxics),
    }


def toxic_shape(installed: InstalledToxic) -> dict[str, object]:
    """Return a toxic as the API shows it."""
    return {
        "attributes": dict(installed.attributes),
        "name": installed.name,
        "type": installed.toxic_type,
        "stream": installed.spelt_stream,
        "toxicity": shortest_float32(installed.toxic.toxicity),
    }


def toxic_shapes(toxics: Iterable[InstalledToxic]) -> list[dict[str, object]]:
    """Return toxics as the API lists them."""
    return [toxic_shape(each) for each in toxics]


def shortest_float32(value: float) -> float:
    """Return the number with the fewest digits that is the same float32; an int if it is whole.

    >>> shortest_float32(1 / 3), shortest_float32(1.0)
    (0.33333334, 1)
    """
    rounded = float32(value)
    if rounded.is_integer():
        return int(rounded)
    for digits in range(1, 10):
        short = float(f"{rounded:.{digits}g}")
        if struct.pack("<f", short) == struct.pack("<f", rounded):
            return short
    return rounded
