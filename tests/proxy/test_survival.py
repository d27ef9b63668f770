"""Whatever is sent to the API, the proxy lives and leaves nothing behind."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fault_injectors.proxy.answers import Answer
from fault_injectors.proxy.api import Api, Request
from fault_injectors.proxy.event_log import EventLog
from fault_injectors.proxy.evidence import Evidence
from fault_injectors.proxy.live_proxy import Surroundings
from fault_injectors.proxy.registry import Registry
from harness.clock import SystemClock
from tests.proxy.live_site import connected, echo, in_loop, settled, site, through, until, upstream

KILLERS: list[dict[str, Any]] = [
    {"type": "slicer"},
    {"type": "slicer", "attributes": {"average_size": 10, "size_variation": 20}},
    {"type": "slicer", "attributes": {"average_size": -5, "size_variation": 5}},
    {"type": "bandwidth", "attributes": {"rate": -1}},
    {"type": "bandwidth", "attributes": {"rate": 92_000_000_000_000_001}},
    {"type": "latency", "attributes": {"latency": 1, "jitter": 1 << 62}},
    {"type": "latency", "attributes": {"latency": -5}},
    {"type": "latency", "toxicity": 7},
    {"type": "latency", "toxicity": 1e39},
    {"type": "latency", "attributes": {"latncy": 5}},
    {"type": "latency", "latency": 5},
    {"type": "noop", "name": "a/b"},
    {"type": "noop", "name": ".."},
    {"type": "noop", "toxicity": 10**400},
]


@pytest.mark.parametrize("toxic", KILLERS, ids=lambda toxic: json.dumps(toxic)[:60])
@in_loop
async def test_values_that_kill_or_mislead_the_real_server_are_refused(
    tmp_path: Path, toxic: dict[str, Any]
):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server)

        status, shown = await here.call("POST", "/proxies/p/toxics", toxic)

        assert status == 400
        assert shown["status"] == 400
        assert (await here.call("GET", "/proxies/p/toxics"))[1] == []
        async with connected(port) as client:
            assert await client.ask(b"ping") == b"ping"


@in_loop
async def test_the_largest_values_allowed_do_no_harm(tmp_path: Path):
    largest = [
        {"type": "latency", "attributes": {"latency": 2**63 - 1, "jitter": 2**61}},
        {"type": "bandwidth", "stream": "upstream", "attributes": {"rate": 9 * 10**16}},
    ]
    async with through(tmp_path, echo, *largest) as (here, client):
        client.writer.write(b"ping")
        await until(lambda: len(here.events("chunk")) == 2)

        shown = (await here.call("GET", "/proxies/p/toxics"))[1]
        await here.call("POST", "/reset")

        assert await client.reader.readexactly(4) == b"ping"
    assert shown[1]["attributes"] == largest[0]["attributes"]


def answer_to(method: str, path: str, body: bytes) -> Answer:
    """Answer one request against a proxy `p` with a toxic `t`, both disabled and unbound."""

    async def ask() -> Answer:
        clock = SystemClock()
        log = EventLog(None, service="p", incarnation="1", clock=clock)
        registry = Registry(Surroundings(seed=0, clock=clock, evidence=Evidence(log, clock)))
        api = Api(registry, seed=0)
        wanted = {"name": "p", "upstream": "x:1", "enabled": False, "toxics": [{"type": "noop"}]}
        content = json.dumps(wanted).encode()
        api.answer(Request(method="POST", target="/proxies", headers={}, body=content))
        answer = api.answer(Request(method=method, target=path, headers={}, body=body))
        registry.stop()
        return answer

    return asyncio.run(ask())


PATHS = st.sampled_from(
    [
        "/proxies",
        "/populate",
        "/proxies/p",
        "/proxies/p/toxics",
        "/proxies/p/toxics/noop_downstream",
    ]
)
KEYS = st.sampled_from(
    [
        "name",
        "listen",
        "upstream",
        "type",
        "stream",
        "toxicity",
        "attributes",
        "toxics",
        "Name",
        "x",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["latency", "slicer", "upstream", "nonsense", "", "127.0.0.1:99999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.dictionaries(KEYS, VALUES, max_size=6).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=150, deadline=None)
@given(PATHS, BODIES)
def test_any_body_has_an_answer_and_an_error_says_why(path: str, body: bytes):
    answer = answer_to("POST", path, body)

    assert answer.status in {200, 201, 400, 409, 500}
    if answer.status >= 400:
        assert json.loads(answer.body)["error"]


@in_loop
async def test_nothing_is_left_after_traffic_under_every_toxic(tmp_path: Path):
    toxics: list[dict[str, Any]] = [
        {"type": "latency", "attributes": {"latency": 60_000}},
        {"type": "bandwidth", "stream": "upstream", "attributes": {"rate": 1}},
        {"type": "timeout", "stream": "upstream", "attributes": {"timeout": 60_000}},
        {"type": "slicer", "attributes": {"average_size": 1, "delay": 60_000_000}},
        {"type": "slow_close", "attributes": {"delay": 60_000}},
    ]
    loop = asyncio.get_running_loop()
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server, *toxics)
        async with connected(port) as first, connected(port) as second:
            first.writer.write(b"ping")
            second.writer.write(b"ping")
            await until(lambda: len(here.events("chunk")) == 2)

            await here.call("DELETE", "/proxies/p")
            await until(lambda: len(here.events("connection")) == 4)
    await settled()

    assert asyncio.all_tasks() == {asyncio.current_task()}
    # A cancelled timer stays in the loop's heap until its time; a live one would act after all.
    timers = loop._scheduled  # type: ignore[attr-defined] # there is no public view of them
    live = [repr(timer) for timer in timers if not timer.cancelled()]
    assert [each for each in live if "Timeout" not in each] == []  # the bound of the test is one
