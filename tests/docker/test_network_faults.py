"""Faults on packets, names and networks of containers bite, heal, and leave all others alone."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.model.system import Link
from tests.docker.running import docker, left

pytestmark = [pytest.mark.slow, pytest.mark.docker]

DATABASE, TIGER = Link("api", "db"), Link("api", "tiger")
PORTS = {DATABASE: 7001, TIGER: 7007}  # of docker/toxiproxy.json
CLEAN_WITHIN_S = 30
CONNECT = """
import socket
try:
    socket.create_connection(("toxiproxy", {port}), timeout=1).close()
    print("connected")
except OSError as error:
    print(type(error).__name__)
"""
# Connects, and sends its request when it is told to: what a pooled connection meets.
REQUEST = """
import socket
connection = socket.create_connection(("toxiproxy", 7007), timeout=5)
print("connected", flush=True)
input()
connection.settimeout(1)
try:
    connection.sendall(b"GET /arcgis/rest/services/{mark} HTTP/1.0\\r\\n\\r\\n")
    print(len(connection.recv(100)) > 0)
except OSError as error:
    print(type(error).__name__)
"""
RESOLVE = """
import socket, time
start = time.monotonic()
try:
    socket.getaddrinfo("toxiproxy", 1, type=socket.SOCK_STREAM)
    print("resolved", end=" ")
except OSError as error:
    print(type(error).__name__, end=" ")
print(time.monotonic() - start)
"""


def connect(running, link: Link) -> str:
    return running.inside(link.client, CONNECT.format(port=PORTS[link]))


def resolve(running, service: str) -> tuple[str, float]:
    """Return what became of a question for a name that is asked once, and how long it took."""
    said = running.inside(service, RESOLVE, environment="RES_OPTIONS=timeout:1 attempts:1")
    what, took_s = said.split()
    return what, float(took_s)


@contextmanager
def open_connection(running, mark: str):
    """Hold a connection of the api to TIGERweb; it sends a request when it is told."""
    command = ["docker", "exec", "-i", running.container("api"), "python3", "-c"]
    with subprocess.Popen(
        [*command, REQUEST.format(mark=mark)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline().strip() == "connected"
        yield process


def has_received(running, mark: str) -> bool:
    files = running.system.event_files()
    return any(mark in path.read_text() for name, path in files.items() if "tiger" in name)


@pytest.mark.parametrize(
    ("direction", "answer", "seen"),
    [
        ("both", "drop", "TimeoutError"),
        ("request", "drop", "TimeoutError"),
        ("response", "drop", "TimeoutError"),
        ("both", "reject", "ConnectionRefusedError"),
        ("request", "reject", "ConnectionRefusedError"),
        ("response", "reject", "TimeoutError"),  # the server is told, not the client
    ],
)
def test_a_partition_bites_one_link_leaves_the_others_alone_and_heals(
    running, direction, answer, seen
):
    async def hit():
        network = running.system.capabilities.network
        async with network.partition(DATABASE, direction=direction, answer=answer) as applied:
            during = connect(running, DATABASE), connect(running, TIGER)
        return during, applied

    during, applied = running.run(hit())

    assert during == (seen, "connected")
    assert applied.effects > 0
    assert connect(running, DATABASE) == "connected"
    assert running.status("tiger") == 200


@pytest.mark.parametrize(
    ("direction", "answer", "seen", "arrives"),
    [
        ("both", "drop", "TimeoutError", False),
        ("request", "drop", "TimeoutError", False),
        ("response", "drop", "TimeoutError", True),
        ("both", "reject", "ConnectionResetError", False),
        ("request", "reject", "ConnectionResetError", False),
        ("response", "reject", "TimeoutError", True),
    ],
)
def test_a_partition_acts_on_open_connections_in_its_direction_alone(
    running, direction, answer, seen, arrives
):
    mark = f"{direction}-{answer}"

    async def hit():
        network = running.system.capabilities.network
        async with network.partition(TIGER, direction=direction, answer=answer):
            said, _ = asking.communicate("\n", timeout=10)
            return said.strip(), has_received(running, mark)

    with open_connection(running, mark) as asking:
        assert running.run(hit()) == (seen, arrives)


def test_lookups_are_served_from_the_cache_while_the_database_is_partitioned(running):
    running.wait_until_primary()

    async def hit():
        async with running.system.capabilities.network.partition(
            DATABASE, direction="both", answer="drop"
        ):
            return await asyncio.to_thread(running.source)

    assert running.run(hit()) == "stale_cache"
    assert running.source() == "primary"


def test_a_partition_on_which_nothing_was_sent_tells_of_no_effect(running):
    async def hit():
        network = running.system.capabilities.network
        async with network.partition(TIGER, direction="request", answer="drop") as applied:
            pass
        return applied

    assert running.run(hit()).effects == 0


@pytest.mark.parametrize("how", ["partition", "refuse", "delay"])
def test_a_fault_is_in_force_again_for_a_client_that_was_started_anew(running, how):
    async def hit():
        capabilities = running.system.capabilities
        fault = {
            "partition": capabilities.network.partition(TIGER, direction="both", answer="drop"),
            "refuse": capabilities.names.fail("api", "refuse"),
            "delay": capabilities.names.delay("api", 0.3),
        }[how]
        async with fault:
            async with capabilities.processes.kill("api"):
                pass
            return connect(running, TIGER), resolve(running, "api")

    connected, (resolved, took_s) = running.run(hit())

    assert connected == {"partition": "TimeoutError", "refuse": "gaierror"}.get(how, "connected")
    assert resolved == ("gaierror" if how == "refuse" else "resolved")
    assert (took_s >= 0.3) == (how == "delay")
    assert connect(running, TIGER) == "connected"
    assert resolve(running, "api")[1] < 0.3


@pytest.mark.parametrize(
    ("how", "seen", "took_at_least_s"), [("refuse", "gaierror", 0), ("silence", "gaierror", 1)]
)
def test_names_of_one_service_fail_and_heal(running, how, seen, took_at_least_s):
    async def hit():
        async with running.system.capabilities.names.fail("api", how) as applied:
            return resolve(running, "api"), resolve(running, "tiger")[0], applied

    (what, took_s), spared, applied = running.run(hit())

    assert (what, spared) == (seen, "resolved")
    assert took_at_least_s <= took_s < took_at_least_s + 1
    assert applied.effects > 0
    assert resolve(running, "api")[0] == "resolved"


def test_names_of_one_service_are_resolved_late_and_heal(running):
    async def hit():
        async with running.system.capabilities.names.delay("api", 0.4) as applied:
            return resolve(running, "api"), resolve(running, "tiger"), applied

    late, spared, applied = running.run(hit())

    assert late[0] == spared[0] == "resolved"
    assert 0.4 <= late[1] < 0.9
    assert spared[1] < 0.4
    assert applied.effects > 0
    assert resolve(running, "api")[1] < 0.4


def test_names_that_nobody_asked_for_tell_of_no_effect(running):
    async def hit():
        async with running.system.capabilities.names.fail("tiger", "refuse") as applied:
            pass
        return applied

    assert running.run(hit()).effects == 0


@pytest.mark.parametrize("service", ["tiger", "db"])
def test_a_service_that_is_disconnected_reaches_nobody_and_is_the_same_again(running, service):
    before = networks(running, service)

    async def hit():
        async with running.system.capabilities.attachments.disconnect(service) as applied:
            return networks(running, service), running.status("api"), applied.effects

    assert running.run(hit()) == ({}, 200, 1)
    assert networks(running, service) == before
    assert running.status("tiger") == 200
    assert running.source() == "primary"


def test_a_disconnected_service_is_refused_on_its_published_port_which_comes_back(running):
    async def hit():
        async with running.system.capabilities.attachments.disconnect("tiger"):
            return running.status("tiger")

    assert running.run(hit()) == 0
    assert running.status("tiger") == 200


def networks(running, service: str) -> dict[str, set[str]]:
    """Return the aliases of a service by network."""
    form = "{{range $name, $one := .NetworkSettings.Networks}}{{$name}} {{$one.Aliases}}\n{{end}}"
    lines = docker("inspect", "-f", form, running.container(service)).strip().splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {name: set(aliases.strip("[]").split()) for name, aliases in pairs}


FAULTS = {
    "partition": lambda on: on.network.partition(DATABASE, direction="both", answer="drop"),
    "refuse": lambda on: on.names.fail("api", "refuse"),
    "silence": lambda on: on.names.fail("api", "silence"),
    "delay": lambda on: on.names.delay("api", 0.4),
    "disconnect": lambda on: on.attachments.disconnect("api"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_heals_after_an_error_and_after_a_cancellation_inside(running, name):
    async def crash():
        async with FAULTS[name](running.system.capabilities):
            raise ZeroDivisionError

    async def cancel():
        is_in = asyncio.Event()

        async def hold():
            async with FAULTS[name](running.system.capabilities):
                is_in.set()
                await asyncio.Event().wait()

        holding = asyncio.create_task(hold())
        await asyncio.wait_for(is_in.wait(), 30)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)

    with pytest.raises(ZeroDivisionError):
        running.run(crash())
    assert is_whole(running)
    running.run(cancel())
    assert is_whole(running)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.3])
def test_each_heals_when_it_is_cancelled_while_it_is_applied(running, name, after_s):
    async def cancel():
        async def hold():
            async with FAULTS[name](running.system.capabilities):
                await asyncio.Event().wait()

        holding = asyncio.create_task(hold())
        await asyncio.sleep(after_s)  # the instant is the test's input
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)

    running.run(cancel())

    assert is_whole(running)


def is_whole(running) -> bool:
    return (
        connect(running, DATABASE) == "connected"
        and resolve(running, "api")[1] < 0.4
        and running.status("api") == 200
        and set(running.statuses()) == {"api", "db", "db_disk", "tiger", "toxiproxy", "migrate"}
    )


DYING = """
import asyncio, sys
from pathlib import Path
from tests.docker.running import Running
from tests.docker.test_network_faults import FAULTS

async def hold(on):
    async with FAULTS["partition"](on), FAULTS["delay"](on), FAULTS["disconnect"](on):
        print("in force", flush=True)
        await asyncio.Event().wait()

running = Running(Path(sys.argv[1]))
running.start()
running.run(hold(running.system.capabilities))
"""


@pytest.mark.usefixtures("images")
def test_nothing_is_left_when_the_harness_dies_inside(tmp_path):
    root = Path(__file__).parents[2]
    harness = subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    run_id = f"contract-{harness.pid}-{tmp_path.name}"
    try:
        assert harness.stdout.readline().strip() == "in force"
        assert len(left(run_id)) > 5
    finally:
        os.killpg(harness.pid, signal.SIGKILL)
        harness.wait(timeout=5)
        harness.stdout.close()

    until_s = time.monotonic() + CLEAN_WITHIN_S  # noqa: TID251 -- what the machine does is real
    while left(run_id) and time.monotonic() < until_s:  # noqa: TID251
        time.sleep(0.5)  # noqa: TID251

    assert left(run_id) == []
