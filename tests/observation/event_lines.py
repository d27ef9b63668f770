"""Event lines as services write them."""

import json
from typing import Any

T0_NS = 1_000_000_000_000


def line(seq: int, kind: str = "clock", *, at_ns: int | None = None, **fields: Any) -> bytes:
    """Return one event of `api`; `at_ns` is relative to the start of the run."""
    if kind == "clock":
        fields.setdefault("schema", 1)
        fields.setdefault("wall_unix_ns", 0)
    envelope = {
        "t_ns": T0_NS + (seq * 1000 if at_ns is None else at_ns),
        "seq": seq,
        "service": "api",
        "incarnation": "1",
        "kind": kind,
    }
    return json.dumps({**envelope, **fields}).encode() + b"\n"


def breaker(seq: int, to_state: str, *, name: str = "api-db") -> bytes:
    return line(
        seq,
        "breaker",
        name=name,
        link="api -> db",
        from_state="closed",
        to_state=to_state,
        generation=1,
        reason="failures",
    )
