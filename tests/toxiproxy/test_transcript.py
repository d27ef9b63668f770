"""One list of requests, replayed against the vendor's server and against the embedded proxy.

Where the embedded proxy differs on purpose, the step says what it answers instead, and the two
must really differ: a difference that has gone is a change that nobody noticed.
"""

import http.client
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fault_injectors.toxiproxy import ProxyKind, ProxyServer
from tests.toxiproxy.running import environment, in_loop, need

pytestmark = pytest.mark.slow

PORTS = re.compile(rb"(127\.0\.0\.1|\[::\]):[0-9]+")
LISTEN = "127.0.0.1:0"
ABSENT = "absent"
BAD_BODY = re.compile(rb'(bad request body: )(?!EOF"|unexpected EOF").*?(?=","status":)')
LISTEN_FAILED = re.compile(rb'("error":"listen tcp).*?(?=","status":500)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What counts of an answer."""

    status: int
    content_type: str
    has_request_id: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One request; `ours` is (status, part of the body) where we differ on purpose."""

    method: str
    path: str
    body: object = ABSENT
    headers: dict[str, str] = field(default_factory=dict)
    ours: tuple[int, str] | None = None


def proxy(**changes: object) -> dict[str, object]:
    return {"name": "a", "listen": LISTEN, "upstream": "127.0.0.1:1", **changes}


def toxic(toxic_type: str, **changes: object) -> dict[str, object]:
    return {"type": toxic_type, **changes}


TOXICS = "/proxies/a/toxics"

STEPS: Sequence[Step] = (
    # Every call.
    Step("GET", "/nope"),
    Step("GET", "/proxies/"),
    Step("GET", "//proxies"),
    Step("GET", "/x/../proxies"),
    Step("GET", "/proxies/a%2Fb"),
    Step("HEAD", "/proxies"),
    Step("PUT", "/proxies"),
    Step("OPTIONS", "/proxies"),
    Step("DELETE", "/reset"),
    Step("GET", "/metrics"),
    Step("GET", "/proxies", headers={"User-Agent": "Mozilla/5.0"}),
    Step("GET", "/nope", headers={"User-Agent": "Mozilla/5.0"}),
    Step("GET", "/proxies", headers={"User-Agent": "mozilla/5.0"}),
    Step("GET", "/proxies?x=1"),
    Step("GET", "/proxies", headers={"Host": "evil.example"}, ours=(403, "Host not allowed")),
    # Bodies.
    Step("POST", "/proxies", b""),
    Step("POST", "/proxies", b"{"),
    Step("POST", "/proxies", b"{]"),
    Step("POST", "/proxies", b"[]"),
    Step("POST", "/proxies", b"5"),
    Step("POST", "/proxies", b"null"),
    Step("POST", "/proxies", {}),
    Step("POST", "/proxies", {"name": ""}),
    Step("POST", "/proxies", {"name": "a"}),
    Step("POST", "/proxies", {"name": 5, "upstream": "x"}),
    Step("POST", "/proxies", proxy(enabled="yes")),
    Step("POST", "/proxies", proxy(upstrem="y"), ours=(400, "did you mean 'upstream'?")),
    Step("DELETE", "/proxies/a", ours=(404, "proxy not found")),
    # Proxies.
    Step("POST", "/proxies", proxy()),
    Step("POST", "/proxies", proxy()),
    Step("POST", "/proxies", b'{"NAME":"x","name":"b","UPSTREAM":"u","Listen":"127.0.0.1:0"} rest'),
    Step("POST", "/proxies", proxy(name="off", enabled=False, listen="localhost:0")),
    Step("POST", "/proxies", proxy(name="null", enabled=None, Logger=None)),
    Step("POST", "/proxies", proxy(name="<ü&\u2028>", upstream="any text")),
    Step("GET", "/proxies/%3C%C3%BC&%E2%80%A8%3E"),
    Step("DELETE", "/proxies/%3C%C3%BC&%E2%80%A8%3E"),
    Step("POST", "/proxies", proxy(name="bad", listen="127.0.0.1:99999")),
    Step("POST", "/proxies", proxy(name="bad", listen="nonsense")),
    Step("POST", "/proxies", proxy(name="bad", listen="192.0.2.1:0")),
    Step("GET", "/proxies"),
    Step("GET", "/proxies/a"),
    Step("GET", "/proxies/none"),
    Step("POST", "/proxies/none", {}),
    Step("DELETE", "/proxies/none"),
    Step("POST", "/proxies/a", {}),
    Step("POST", "/proxies/a", b""),
    Step("PATCH", "/proxies/a", {"enabled": False}),
    Step("PATCH", "/proxies/a", {"enabled": True, "name": "other"}),
    Step("POST", "/proxies/a", {"upstream": "127.0.0.1:2"}),
    Step("POST", "/proxies/a", {"upstream": ""}),
    Step("POST", "/proxies/a", {"listen": "nonsense"}),
    Step("GET", "/proxies/a"),
    Step("POST", "/proxies", proxy(name="x/y"), ours=(400, "could never be addressed")),
    Step("POST", "/proxies", proxy(name=".."), ours=(400, "could never be addressed")),
    # Toxics.
    Step("GET", TOXICS),
    Step("GET", "/proxies/none/toxics"),
    Step("POST", "/proxies/none/toxics", {}),
    Step("POST", TOXICS, b""),
    Step("POST", TOXICS, {}),
    Step("POST", TOXICS, toxic("latency", stream="sideways")),
    Step("POST", TOXICS, toxic("packet_loss")),
    Step("POST", TOXICS, toxic("latency", attributes=[])),
    Step("POST", TOXICS, toxic("latency", attributes={"latency": 10.0})),
    Step("POST", TOXICS, toxic("latency", attributes={"latency": "10"})),
    Step("POST", TOXICS, toxic("latency", attributes={"latency": True})),
    Step("POST", TOXICS, toxic("latency", attributes={"latency": 1 << 63})),
    Step("POST", TOXICS, toxic("latency", toxicity="much")),
    Step("POST", TOXICS, toxic("latency", toxicity=1e39)),
    Step("POST", TOXICS, toxic("latency", attributes={"latency": 100, "jitter": 10})),
    Step("POST", TOXICS, toxic("latency", attributes={"latency": 100})),
    Step("POST", TOXICS, toxic("latency", stream="UPSTREAM", name=None)),
    Step("POST", TOXICS, toxic("bandwidth", name="narrow", attributes={"RATE": 5})),
    Step("POST", TOXICS, toxic("slow_close", toxicity=1 / 3)),
    Step("POST", TOXICS, toxic("timeout", toxicity=0)),
    Step("POST", TOXICS, toxic("reset_peer", attributes={"timeout": None})),
    Step("POST", TOXICS, toxic("slicer", attributes={"average_size": 10, "delay": 5})),
    Step("POST", TOXICS, toxic("limit_data", attributes={"bytes": 9007199254740993})),
    Step("POST", TOXICS, toxic("noop", stream="upstream")),
    Step("GET", TOXICS),
    Step("GET", "/proxies/a"),
    Step("GET", f"{TOXICS}/narrow"),
    Step("GET", f"{TOXICS}/none"),
    Step("POST", f"{TOXICS}/none", {}),
    Step("DELETE", f"{TOXICS}/none"),
    Step("POST", f"{TOXICS}/narrow", {"attributes": {"rate": 7}}),
    Step("PATCH", f"{TOXICS}/narrow", {"toxicity": 0.1, "name": "n", "stream": "upstream"}),
    Step("POST", f"{TOXICS}/narrow", {"attributes": {"rate": 1.5}}),
    Step("POST", f"{TOXICS}/narrow", b"{"),
    Step("POST", f"{TOXICS}/latency_downstream", {"attributes": {"jitter": 7}}),
    Step("DELETE", f"{TOXICS}/narrow"),
    Step("GET", TOXICS),
    Step("POST", TOXICS, toxic("slicer", name="kill"), ours=(400, "must not both be 0")),
    Step("DELETE", f"{TOXICS}/kill", ours=(404, "toxic not found")),
    Step(
        "POST",
        TOXICS,
        toxic("latency", name="neg", attributes={"latency": -5}),
        ours=(400, "must be a finite number, at least 0"),
    ),
    Step("DELETE", f"{TOXICS}/neg", ours=(404, "toxic not found")),
    Step("POST", TOXICS, toxic("noop", name="seven", toxicity=7), ours=(400, "must be in [0, 1]")),
    Step("DELETE", f"{TOXICS}/seven", ours=(404, "toxic not found")),
    Step("POST", TOXICS, toxic("latency", name="beside", latency=5), ours=(400, "has no field")),
    Step("DELETE", f"{TOXICS}/beside", ours=(404, "toxic not found")),
    Step(
        "POST",
        TOXICS,
        toxic("latency", name="typo", attributes={"latncy": 5}),
        ours=(400, "did you mean 'latency'?"),
    ),
    Step("DELETE", f"{TOXICS}/typo", ours=(404, "toxic not found")),
    # populate and reset.
    Step("POST", "/populate", b""),
    Step("POST", "/populate", {}),
    Step("POST", "/populate", []),
    Step("POST", "/populate", b"null"),
    Step("POST", "/populate", [proxy(name="c"), {"upstream": "x"}]),
    Step("POST", "/populate", [{"name": "c"}]),
    Step("GET", "/proxies/c"),
    Step("POST", "/populate", [proxy(name="c"), proxy(name="d", enabled=False)]),
    Step("POST", "/populate", [proxy(name="e"), proxy(name="f", listen="nonsense")]),
    Step("POST", "/reset"),
    Step("GET", "/proxies/d"),
    Step("GET", TOXICS),
    Step("DELETE", "/proxies/a"),
    Step("GET", "/proxies/a"),
    Step(
        "POST",
        "/proxies",
        proxy(toxics=[toxic("noop", name="first")]),
        ours=(201, '"name":"first"'),
    ),
)


def replay(port: int) -> list[Answer]:
    return [_answer(port, step) for step in STEPS]


def _answer(port: int, step: Step) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    content: Any = None
    if step.body != ABSENT:
        content = step.body if isinstance(step.body, bytes) else json.dumps(step.body)
    try:
        connection.request(step.method, step.path, body=content, headers=step.headers)
        response = connection.getresponse()
        return Answer(
            status=response.status,
            content_type=response.headers.get("Content-Type", ""),
            has_request_id=len(response.headers.get("X-Toxiproxy-Request-Id", "")) == 20,
            body=PORTS.sub(rb"\1:PORT", response.read()),
        )
    finally:
        connection.close()


def what_counts(answer: Answer) -> Answer:
    """Cut texts that depend on the version of Go or of the system to what is promised of them."""
    body = BAD_BODY.sub(rb"\1", LISTEN_FAILED.sub(rb"\1", answer.body))
    return replace(answer, body=body)


@in_loop
async def test_the_embedded_proxy_answers_as_the_vendors_server(tmp_path: Path):
    need(ProxyKind.TOXIPROXY)
    answers: dict[ProxyKind, list[Answer]] = {}
    for kind in ProxyKind:
        log_path = tmp_path / f"{kind}.log"
        async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
            answers[kind] = replay(server.port)

    differences = []
    for step, ours, real in zip(
        STEPS, answers[ProxyKind.EMBEDDED], answers[ProxyKind.TOXIPROXY], strict=True
    ):
        if step.ours is None and what_counts(ours) != what_counts(real):
            differences.append(f"{step}\n  ours {ours}\n  real {real}")
        elif step.ours is not None:
            status, part = step.ours
            is_as_documented = ours.status == status and part.encode() in ours.body
            if ours == real or not is_as_documented:
                differences.append(f"{step}\n  ours {ours}\n  real {real}")
    assert not differences, "\n".join(differences)
