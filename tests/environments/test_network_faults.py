"""Every toxic and `down` bite, heal whatever happens inside, and leave other links alone.

One set-up serves all faults of an aspect: the services and the proxy take longer than the faults.
"""

import asyncio
import signal
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import pytest

from fault_injectors.toxics.catalogue import BEHAVIOURS
from fault_injectors.toxiproxy import ProxyKind, find_toxiproxy_server
from harness.clock import SystemClock
from harness.environments import child
from harness.environments.journal import pending
from harness.environments.network import ProxiedLink, ProxiedNetwork, fault_proxy
from harness.environments.ports import Ports
from harness.environments.world import MARK
from harness.model.errors import FaultNotApplied
from harness.model.fault import Effect, ToxicSpec
from harness.model.system import Link
from tests.environments.conftest import Surroundings, tiny

pytestmark = pytest.mark.slow

HIT, SPARED = Link("client", "hit"), Link("client", "spared")
SIZE_BYTES = 20_000
PATIENCE_S = 5.0
DELAY_S = 0.3
HEALTHY_TRIES = 5  # a busy machine may delay one answer like a fault, not five in a row


@dataclass(frozen=True)
class Answer:
    """What a client saw: how much, how late, in how many pieces, and what broke it."""

    size_bytes: int
    took_s: float
    pieces: int
    error: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.error and self.size_bytes >= SIZE_BYTES


@dataclass(frozen=True)
class Case:
    """A fault on the link, and how a client tells that it acts."""

    inject: Callable[[ProxiedNetwork], Effect]
    is_bitten: Callable[[Answer], bool]


def toxic(kind: str, stream: str = "downstream", **attributes: int):
    spec = ToxicSpec(type=kind, stream=stream, attributes=attributes)
    return lambda network: network.toxic(HIT, spec)


def is_late(answer: Answer) -> bool:
    return answer.is_whole and answer.took_s >= DELAY_S


CASES = {
    "down": Case(lambda network: network.down(HIT), lambda seen: "Refused" in seen.error),
    "partition": Case(
        lambda network: network.partition(HIT, direction="both", answer="drop"),
        lambda seen: seen.size_bytes == 0 and seen.error == "TimeoutError",
    ),
    "partition_reject": Case(
        lambda network: network.partition(HIT, direction="both", answer="reject"),
        lambda seen: "Refused" in seen.error,
    ),
    "latency": Case(toxic("latency", latency=300), is_late),
    "latency_upstream": Case(toxic("latency", "upstream", latency=300), is_late),
    "bandwidth": Case(toxic("bandwidth", rate=40), is_late),  # 20 kB take half a second
    "slow_close": Case(toxic("slow_close", delay=300), is_late),
    "timeout": Case(  # the server closes before 300 ms are over, and the proxy with it
        toxic("timeout", timeout=300), lambda seen: seen.size_bytes == 0 and not seen.error
    ),
    "reset_peer": Case(toxic("reset_peer", timeout=0), lambda seen: not seen.is_whole),
    "slicer": Case(  # 200 pieces, 2 ms apart
        toxic("slicer", average_size=100, size_variation=10, delay=2000),
        lambda seen: is_late(seen) and seen.pieces > 50,
    ),
    "limit_data": Case(toxic("limit_data", bytes=1000), lambda seen: seen.size_bytes == 1000),
}
KINDS = [
    ProxyKind.EMBEDDED,
    pytest.param(
        ProxyKind.TOXIPROXY,
        marks=pytest.mark.skipif(
            find_toxiproxy_server() is None, reason="toxiproxy-server is not installed"
        ),
    ),
]


async def fetch(address: str) -> Answer:
    """Read one answer to its end on a fresh connection."""
    started_ns = SystemClock().now_ns()
    size_bytes = pieces = 0
    error = ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(*address.split(":"))
            try:
                writer.write(f"GET /bytes/{SIZE_BYTES} HTTP/1.0\r\n\r\n".encode())
                while piece := await reader.read(65536):
                    size_bytes += len(piece)
                    pieces += 1
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError) as failure:
        error = type(failure).__name__
    took_s = (SystemClock().now_ns() - started_ns) / 1e9
    return Answer(size_bytes=size_bytes, took_s=took_s, pieces=pieces, error=error)


async def is_healthy(address: str) -> bool:
    """Say whether one of a few answers is whole and quicker than any fault allows."""
    for _ in range(HEALTHY_TRIES):
        answer = await fetch(address)
        if answer.is_whole and answer.took_s < DELAY_S:
            return True
    return False


@asynccontextmanager
async def network_of(made: Surroundings, kind: ProxyKind):
    """Put a proxy before both services of the surroundings."""
    links = [
        ProxiedLink(link=link, upstream=f"127.0.0.1:{made.services[link.server].port}")
        for link in (HIT, SPARED)
    ]
    with Ports(Random(made.run_id)) as ports:
        async with fault_proxy(
            links,
            kind=kind,
            environment=child.inherited_environment(**{MARK: made.run_id}),
            ports=ports,
            journal=made.journal,
            log=made.logs / "proxy.log",
        ) as network:
            yield network


def on_proxied(surroundings, kind: ProxyKind, body) -> None:
    """Run a test's body with two services behind a proxy."""

    async def run() -> None:
        async with (
            surroundings(tiny("hit"), tiny("spared")) as made,
            network_of(made, kind) as network,
        ):
            await body(made, network)

    asyncio.run(run())


def test_every_type_of_toxic_is_among_the_cases():
    toxics = {behaviour.toxic_type for behaviour in BEHAVIOURS} - {"noop"}  # that one does nothing

    assert toxics <= set(CASES)


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_bites_heals_and_leaves_the_other_link_alone(surroundings, kind):
    wrong = {}

    async def body(made: Surroundings, network: ProxiedNetwork) -> None:
        hit, spared = network.addresses()[HIT], network.addresses()[SPARED]
        for name, case in CASES.items():
            async with case.inject(network):
                seen = await fetch(hit)
                is_spared = await is_healthy(spared)
                is_journalled = pending(made.work) != []
            is_healed = await is_healthy(hit) and pending(made.work) == []
            if not (case.is_bitten(seen) and is_spared and is_journalled and is_healed):
                wrong[name] = (seen, is_spared, is_journalled, is_healed)

    on_proxied(surroundings, kind, body)

    assert wrong == {}


async def crash_inside(effect: Effect) -> None:
    with pytest.raises(ZeroDivisionError):
        async with effect:
            raise ZeroDivisionError


async def cancel_inside(effect: Effect) -> None:
    is_in = asyncio.Event()

    async def hold() -> None:
        async with effect:
            is_in.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await asyncio.wait_for(is_in.wait(), PATIENCE_S)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_heals_after_a_crash_and_after_a_cancellation_inside(surroundings, kind):
    left = []

    async def body(_made: Surroundings, network: ProxiedNetwork) -> None:
        for name, case in CASES.items():
            for end in (crash_inside, cancel_inside):
                await end(case.inject(network))
                if not await is_healthy(network.addresses()[HIT]):
                    left.append((name, end.__name__))

    on_proxied(surroundings, kind, body)

    assert left == []


@pytest.mark.parametrize("kind", KINDS)
def test_two_overlapping_downs_are_counted(surroundings, kind):
    seen = []

    async def body(_made: Surroundings, network: ProxiedNetwork) -> None:
        hit = network.addresses()[HIT]
        outer, inner = network.down(HIT), network.down(HIT)
        await outer.__aenter__()
        async with inner:
            await outer.__aexit__(None, None, None)
            seen.append((await fetch(hit)).error)
        seen.append(await is_healthy(hit))

    on_proxied(surroundings, kind, body)

    assert seen == ["ConnectionRefusedError", True]


def test_down_cuts_connections_that_are_open(surroundings):
    async def body(_made: Surroundings, network: ProxiedNetwork) -> None:
        reader, writer = await asyncio.open_connection(*network.addresses()[HIT].split(":"))
        writer.write(b"GET /by")  # and the rest never comes
        await writer.drain()
        async with network.down(HIT), asyncio.timeout(PATIENCE_S):
            try:
                rest = await reader.read()
            except ConnectionResetError:
                rest = b""
        writer.transport.abort()
        assert rest == b""

    on_proxied(surroundings, ProxyKind.EMBEDDED, body)


def test_a_partition_silences_the_stream_of_its_direction(surroundings):
    silenced = {}

    async def body(_made: Surroundings, network: ProxiedNetwork) -> None:
        for direction in ("request", "response", "both"):
            async with network.partition(HIT, direction=direction, answer="drop"):
                toxics = await network._server.client.toxics("client-hit")
            silenced[direction] = [toxic.stream.value for toxic in toxics]

    on_proxied(surroundings, ProxyKind.EMBEDDED, body)

    assert silenced == {
        "request": ["upstream"],
        "response": ["downstream"],
        "both": ["upstream", "downstream"],
    }


def test_one_direction_that_a_proxy_cannot_reject_alone_is_refused(surroundings):
    async def body(_made: Surroundings, network: ProxiedNetwork) -> None:
        with pytest.raises(FaultNotApplied, match="cannot reject the requests of 'client -> hit'"):
            network.partition(HIT, direction="request", answer="reject")

    on_proxied(surroundings, ProxyKind.EMBEDDED, body)


def test_link_that_is_not_of_the_run_is_refused_by_name(surroundings):
    async def body(_made: Surroundings, network: ProxiedNetwork) -> None:
        with pytest.raises(FaultNotApplied, match="link 'client -> other' is not among the links"):
            network.down(Link("client", "other"))

    on_proxied(surroundings, ProxyKind.EMBEDDED, body)


def test_stopped_proxy_refuses_a_fault_in_bounded_time_and_says_so(surroundings):
    async def body(_made: Surroundings, network: ProxiedNetwork) -> None:
        proxy = network._server  # the process that a debugger would stop
        child.signal_pid(proxy.pid, signal.SIGSTOP)
        started_ns = SystemClock().now_ns()
        with pytest.raises(FaultNotApplied, match="killed and started again"):
            async with network.down(HIT):
                pass
        took_s = (SystemClock().now_ns() - started_ns) / 1e9
        assert took_s < 20.0  # 2 to 5 s for the call, 2 s for a last try, and a new process
        assert await is_healthy(network.addresses()[HIT])

    on_proxied(surroundings, ProxyKind.EMBEDDED, body)
