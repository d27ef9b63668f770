"""Write the bytes of one request."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from harness.load.plan import PlannedLoad
from harness.load.schedule import Arrival
from harness.model.scenario import Reuse

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, ready to be sent.

    Args:
        target: Path and query, with the row's values filled in and encoded.
        content: Head and body.
    """

    target: str
    content: bytes


def render(load: PlannedLoad, arrival: Arrival) -> Request:
    """Return the request of an arrival: `{name}` stands for the row's value, quoted in the path."""
    row = load.rows[arrival.row] if arrival.row is not None else {}
    target = _fill(load.path, row, lambda value: quote(value, safe=""))
    body = b"" if load.body is None else json.dumps(_filled(load.body, row)).encode()
    head = [
        f"{load.method} {target} HTTP/1.1",
        f"host: {_host(load)}",
        "accept: */*",
        f"x-atlas-call-id: {arrival.call_id}",
        "x-atlas-attempt: 1",
        f"x-client-id: {arrival.client}",
    ]
    if load.body is not None:
        head += ["content-type: application/json", f"content-length: {len(body)}"]
    if load.reuse is Reuse.FRESH:
        head.append("connection: close")
    return Request(target=target, content="\r\n".join([*head, "", ""]).encode() + body)


def _host(load: PlannedLoad) -> str:
    host = f"[{load.host}]" if ":" in load.host else load.host
    return f"{host}:{load.port}"


def _fill(text: str, row: Mapping[str, str], encode: Callable[[str], str]) -> str:
    """Replace the names that the row has; other braces are text."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        return encode(row[name]) if name in row else found.group(0)

    return _PLACEHOLDER.sub(value, text)


def _filled(part: Any, row: Mapping[str, str]) -> Any:
    """Return a copy of a JSON value with the row's values in its texts."""
    if isinstance(part, str):
        return _fill(part, row, str)
    if isinstance(part, Mapping):
        return {key: _filled(value, row) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(item, row) for item in part]
    return part
