"""The control API without a socket: what it refuses, how it says so, what it leaves in force."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from fault_injectors.proxy import Settings, serve
from fault_injectors.proxy.addresses import AddressRefused, resolve_listen, split_host_port
from tests.proxy.live_site import in_loop, site, until


def proxy(**changes: object) -> dict[str, object]:
    return {"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", **changes}


BAD_BODIES: list[tuple[str, Any, str]] = [
    ("/proxies", [], "proxy: expected an object, got a list"),
    ("/proxies", proxy(name=5), "proxy.name: expected a string, got 5"),
    ("/proxies", proxy(enabled="on"), 'proxy.enabled: expected true or false, got "on"'),
    ("/proxies", proxy(toxics={}), "proxy.toxics: expected a list, got an object"),
    ("/proxies", proxy(toxics=[5]), "toxic: expected an object, got 5"),
    ("/proxies", proxy(toxics=[{"type": "noop"}] * 2), "toxic already exists"),
    ("/proxies", {"name": "x"}, "missing required field: upstream"),
    ("/populate", {}, "expected a list of proxies"),
    ("/populate", [proxy(), {"name": "q"}], "missing required field: upstream at proxy 2"),
    ("/populate", [proxy(), 5], "proxy: expected an object, got 5"),
    ("/proxies/q/toxics", {"type": 5}, "toxic.type: expected a string, got 5"),
    ("/proxies/q/toxics", {"type": "noop", "toxicity": "x"}, "toxic.toxicity: expected a number"),
    ("/proxies/q/toxics", {"type": "noop", "stream": "x"}, "stream was invalid"),
    ("/proxies/q/toxics", {"type": "x"}, "invalid toxic type"),
    (
        "/proxies/q/toxics",
        {"type": "latency", "attributes": {"latency": 1.5}},
        "latency.latency: expected a whole number of at most 64 bits, got 1.5",
    ),
    ("/proxies/q", {"enabled": 1}, "proxy.enabled: expected true or false, got 1"),
]


@pytest.mark.parametrize(("path", "body", "text"), BAD_BODIES, ids=lambda each: str(each)[:50])
@in_loop
async def test_a_bad_body_says_where_and_changes_nothing(
    tmp_path: Path, path: str, body: Any, text: str
):
    async with site(tmp_path) as here:
        await here.call("POST", "/proxies", proxy(name="q"))
        before = await here.call("GET", "/proxies")

        status, shown = await here.call("POST", path, body)

        assert status in {400, 409}
        assert text in shown["error"]
        assert await here.call("GET", "/proxies") == before


@in_loop
async def test_a_bad_field_of_an_update_leaves_the_fields_before_it_alone(tmp_path: Path):
    toxic = {"name": "t", "type": "latency", "attributes": {"latency": 5, "jitter": 1}}
    async with site(tmp_path) as here:
        await here.call("POST", "/proxies", proxy(toxics=[toxic]))

        changed = {"attributes": {"latency": 9, "jitter": "x"}}
        status, _ = await here.call("POST", "/proxies/p/toxics/t", changed)

        assert status == 400
        _, shown = await here.call("GET", "/proxies/p/toxics/t")
        assert shown["attributes"] == {"latency": 5, "jitter": 1}


@in_loop
async def test_what_is_not_there_is_not_found_and_what_is_there_cannot_be_created(tmp_path: Path):
    async with site(tmp_path) as here:
        await here.call("POST", "/proxies", proxy())

        answers = [
            await here.call("GET", "/proxies/q"),
            await here.call("DELETE", "/proxies/q"),
            await here.call("DELETE", "/proxies/p/toxics/t"),
            await here.call("POST", "/proxies", proxy()),
            await here.call("GET", "/proxies/p/"),
            await here.call("PUT", "/proxies/p"),
        ]

    assert [status for status, _ in answers] == [404, 404, 404, 409, 404, 405]


@in_loop
async def test_an_update_that_cannot_listen_leaves_the_proxy_disabled_with_the_new_address(
    tmp_path: Path,
):
    async with site(tmp_path) as here:
        _, taken = await here.call("POST", "/proxies", proxy(name="first"))
        await here.call("POST", "/proxies", proxy())

        status, shown = await here.call("POST", "/proxies/p", {"listen": taken["listen"]})

        assert status == 500
        assert shown["error"] == f"listen tcp {taken['listen']}: bind: address already in use"
        _, left = await here.call("GET", "/proxies/p")
        assert (left["enabled"], left["listen"]) == (False, taken["listen"])


@in_loop
async def test_populate_tells_how_far_it_came(tmp_path: Path):
    wanted = [proxy(name="a"), proxy(name="b", listen="nonsense"), proxy(name="c")]
    async with site(tmp_path) as here:
        status, shown = await here.call("POST", "/populate", wanted)
        _, left = await here.call("GET", "/proxies")

    assert status == 500
    assert [each["name"] for each in shown["proxies"]] == ["a"]
    assert list(left) == ["a"]


@in_loop
async def test_reset_enables_every_proxy_and_removes_every_toxic(tmp_path: Path):
    async with site(tmp_path) as here:
        await here.call("POST", "/proxies", proxy(enabled=False, toxics=[{"type": "noop"}]))

        status, _ = await here.call("POST", "/reset")

        assert status == 204
        _, shown = await here.call("GET", "/proxies/p")
        assert (shown["enabled"], shown["toxics"]) == (True, [])


@in_loop
async def test_lists_show_upstream_toxics_first_each_in_order_of_creation(tmp_path: Path):
    names = [("d1", "downstream"), ("u1", "upstream"), ("d2", "downstream"), ("u2", "UPSTREAM")]
    async with site(tmp_path) as here:
        toxics = [{"name": name, "type": "noop", "stream": stream} for name, stream in names]
        _, shown = await here.call("POST", "/proxies", proxy(toxics=toxics))

    assert [each["name"] for each in shown["toxics"]] == ["u1", "u2", "d1", "d2"]
    assert shown["toxics"][1]["stream"] == "UPSTREAM"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "missing port"),
        ("[::1]", "missing port"),
        ("a:b:1", "too many colons"),
        ("127.0.0.1:65536", "invalid port"),
        ("127.0.0.1:x", "invalid port"),
        ("example.com:80", "no such host"),
        ("0.0.0.0:80", "not a loopback address"),
        ("[2001:db8::1]:80", "not a loopback address"),
    ],
)
def test_only_loopback_addresses_are_listened_on(text: str, reason: str):
    with pytest.raises(AddressRefused, match=reason):
        resolve_listen(text)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("", ("127.0.0.1", 0)),
        (":80", ("127.0.0.1", 80)),
        ("localhost:80", ("127.0.0.1", 80)),
        ("127.0.0.9:80", ("127.0.0.9", 80)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_a_missing_host_is_loopback(text: str, resolved: tuple[str, int]):
    assert resolve_listen(text) == resolved


def test_a_host_may_be_a_name_where_it_is_an_upstream():
    assert split_host_port("db.example:5432") == ("db.example", 5432)


@pytest.mark.slow
def test_the_whole_process_serves_in_this_one_until_a_signal(tmp_path: Path):
    ready_file = tmp_path / "ready.json"
    settings = Settings(port=0, seed=1, event_dir=tmp_path / "events", ready_file=ready_file)

    async def both() -> int:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            serving = group.create_task(serve(settings))
            await until(ready_file.exists)
            os.kill(os.getpid(), signal.SIGTERM)
        return serving.result()

    assert asyncio.run(both()) == 0
    assert [each.name for each in settings.event_path.parent.iterdir()] == ["proxy.1.ndjson"]  # type: ignore[union-attr] # it has a folder


@pytest.mark.slow
def test_a_taken_port_ends_the_whole_process_with_one(capfd: pytest.CaptureFixture[str]):
    async def serve_twice() -> int:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            return await serve(Settings(port=server.sockets[0].getsockname()[1]))

    assert asyncio.run(serve_twice()) == 1
    assert "cannot listen on 127.0.0.1:" in capfd.readouterr().err
