"""toxiproxy-python's own public classes, unmodified, against both servers."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from fault_injectors.toxiproxy import ProxyKind, ProxyServer
from tests.toxiproxy.running import BOTH, environment, in_loop

pytestmark = pytest.mark.slow

UPSTREAM = "127.0.0.1:1"


@contextmanager
def pointed_at(port: int) -> Iterator[toxiproxy.Toxiproxy]:
    """Its address is a class attribute that every instance shares: put it back afterwards."""
    before = APIConsumer.host, APIConsumer.port
    vendor = toxiproxy.Toxiproxy()
    vendor.update_api_consumer("127.0.0.1", port)
    try:
        yield vendor
    finally:
        APIConsumer.host, APIConsumer.port = before


async def used(kind: ProxyKind, folder: Path, use: Callable[[toxiproxy.Toxiproxy], None]) -> None:
    log_path = folder / "proxy.log"
    async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
        with pointed_at(server.port) as vendor:
            await asyncio.to_thread(use, vendor)


@BOTH
@in_loop
async def test_its_server_class_works(kind: ProxyKind, tmp_path: Path):
    def use(vendor: toxiproxy.Toxiproxy) -> None:
        assert vendor.running()
        assert b"version" in vendor.version()
        created = vendor.create(upstream=UPSTREAM, name="a")
        assert created.listen.startswith("127.0.0.1:")
        assert created.enabled
        assert set(vendor.proxies()) == {"a"}
        assert vendor.get_proxy("a").upstream == UPSTREAM
        assert vendor.get_proxy("b") is None
        wanted = [
            {"name": name, "listen": "127.0.0.1:0", "upstream": UPSTREAM} for name in ("b", "c")
        ]
        assert [each.name for each in vendor.populate(wanted)] == ["b", "c"]
        assert vendor.reset()
        assert vendor.destroy(vendor.get_proxy("b"))
        vendor.destroy_all()
        assert vendor.proxies() == {}

    await used(kind, tmp_path, use)


@BOTH
@in_loop
async def test_its_proxy_class_works(kind: ProxyKind, tmp_path: Path):
    def use(vendor: toxiproxy.Toxiproxy) -> None:
        created = vendor.create(upstream=UPSTREAM, name="a", enabled=False)
        assert not vendor.get_proxy("a").enabled
        created.enable()
        with created.down():
            assert not vendor.get_proxy("a").enabled
        assert vendor.get_proxy("a").enabled
        created.add_toxic(type="latency", attributes={"latency": 100, "jitter": 10})
        created.add_toxic(type="limit_data", stream="upstream", name="cut", toxicity=0.5)
        shown = created.get_toxic("latency_downstream")
        assert (shown.stream, shown.toxicity) == ("downstream", 1)
        assert shown.attributes == {"latency": 100, "jitter": 10}
        assert set(created.toxics()) == {"latency_downstream", "cut"}
        assert created.destroy_toxic("cut")
        assert created.get_toxic("cut") is None
        assert created.destroy()

    await used(kind, tmp_path, use)


@BOTH
@in_loop
async def test_its_errors_are_raised(kind: ProxyKind, tmp_path: Path):
    def use(vendor: toxiproxy.Toxiproxy) -> None:
        created = vendor.create(upstream=UPSTREAM, name="a")
        with pytest.raises(ProxyExists):
            vendor.create(upstream=UPSTREAM, name="a")
        with pytest.raises(InvalidToxic, match="invalid toxic type"):
            created.add_toxic(type="nonsense")
        with pytest.raises(NotFound, match="toxic not found"):
            created.destroy_toxic("none")
        created.add_toxic(type="noop")
        with pytest.raises(ProxyExists, match="toxic already exists"):
            created.add_toxic(type="noop")

    await used(kind, tmp_path, use)
