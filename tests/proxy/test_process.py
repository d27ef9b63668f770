"""The proxy as a process: start, readiness, signals, and what it leaves."""

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOUND_S = 20  # an interpreter that starts on a busy machine; below 1 s on a quiet one

pytestmark = pytest.mark.slow


@contextmanager
def process(*flags: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-W", "error", "-m", "fault_injectors.proxy", *flags]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    child = subprocess.Popen(
        argv, env=env, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate(timeout=BOUND_S)


def ready(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert child.stdout is not None
    readable, _, _ = select.select([child.stdout], [], [], BOUND_S)
    assert readable, "no ready line in time"
    announced: dict[str, Any] = json.loads(child.stdout.readline())
    return announced


def call(port: int, method: str, path: str, body: object = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = Request(f"http://127.0.0.1:{port}{path}", data=content, method=method)
    with build_opener(ProxyHandler({})).open(request, timeout=BOUND_S) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def ended(child: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, errors = child.communicate(timeout=BOUND_S)
    return child.returncode, errors.decode()


def test_the_ready_line_and_the_ready_file_tell_the_port(tmp_path: Path):
    ready_file = tmp_path / "ready.json"
    with process("--port", "0", "--seed", "7", "--ready-file", str(ready_file)) as child:
        announced = ready(child)

        assert announced["pid"] == child.pid
        assert announced["seed"] == 7
        assert json.loads(ready_file.read_text()) == announced
        assert list(tmp_path.iterdir()) == [ready_file]
        assert call(announced["port"], "GET", "/proxies") == {}


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_success_and_a_whole_record(tmp_path: Path, which: signal.Signals):
    env = {"ATLAS_EVENT_DIR": str(tmp_path), "ATLAS_INCARNATION": "3", "ATLAS_PORT": "0"}
    with process(env=env) as child:
        announced = ready(child)
        created = call(announced["port"], "POST", "/proxies", {"name": "p", "upstream": "x:1"})
        child.send_signal(which)
        code, errors = ended(child)

    records = [json.loads(line) for line in (tmp_path / "proxy.3.ndjson").read_text().splitlines()]
    assert (code, errors) == (0, "")
    assert [each["what"] for each in records if each["kind"] == "process"] == [
        "started",
        "ready",
        "stopping",
        "stopped",
    ]
    assert [each["seq"] for each in records] == list(range(len(records)))
    with socket.socket() as probe:
        host, _, port = created["listen"].rpartition(":")
        assert probe.connect_ex((host, int(port))) != 0


def test_it_lives_on_when_nobody_reads_its_output():
    with process("--port", "0") as child:
        announced = ready(child)
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        child.stderr.close()

        assert call(announced["port"], "GET", "/proxies") == {}
        child.terminate()
        assert child.wait(timeout=BOUND_S) == 0


def test_it_starts_when_its_output_is_closed_already(tmp_path: Path):
    ready_file = tmp_path / "ready.json"
    reader, writer = os.pipe()
    os.close(reader)
    argv = [sys.executable, "-m", "fault_injectors.proxy", "--port", "0"]
    argv += ["--ready-file", str(ready_file)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(argv, env=env, stdout=writer, stderr=writer)
    os.close(writer)
    try:
        for _ in range(BOUND_S * 100):
            if ready_file.exists() or child.poll() is not None:
                break
            select.select([], [], [], 0.01)
        child.terminate()

        assert child.wait(timeout=BOUND_S) == 0
    finally:
        child.kill()
        child.wait()


def test_a_taken_port_is_said_and_ends_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process("--port", str(port)) as child:
            code, errors = ended(child)

    assert code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in errors


@pytest.mark.parametrize("listen", ["127.0.0.2:0", "0.0.0.0:0"])
def test_it_begins_with_the_proxies_of_its_configuration(tmp_path: Path, listen: str):
    config = tmp_path / "proxies.json"
    config.write_text(json.dumps([{"name": "p", "listen": listen, "upstream": "x:1"}]))

    with process("--port", "0", "--host", "0.0.0.0", "--config", str(config)) as child:
        [proxy] = call(ready(child)["port"], "GET", "/proxies").values()

    assert (proxy["name"], proxy["enabled"]) == ("p", True)
    assert proxy["listen"].rpartition(":")[0] == listen.rpartition(":")[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot read"),
        ("{", "bad request body"),
        ('[{"name": "p"}]', "missing required field: upstream at proxy 1"),
        ('[{"name": "p", "listen": "0.0.0.0:0", "upstream": "x:1"}]', "not a loopback address"),
    ],
)
def test_a_configuration_that_cannot_be_used_ends_it(tmp_path: Path, text: str | None, why: str):
    config = tmp_path / "proxies.json"
    if text is not None:
        config.write_text(text)

    with process("--port", "0", "--config", str(config)) as child:
        code, errors = ended(child)

    assert code == 1
    assert why in errors
    assert str(config) in errors


@pytest.mark.parametrize(
    "flags",
    [["--port", "70000"], ["--seed", "x"], ["--unknown"], ["--host", "example.org"]],
)
def test_a_wrong_argument_ends_it_with_two(flags: list[str]):
    with process(*flags) as child:
        code, errors = ended(child)

    assert code == 2
    assert "usage:" in errors


def test_it_serves_again_after_it_ran_out_of_files():
    with _with_few_files() as (child, control, server, port):
        child.send_signal(signal.SIGSTOP)  # all are waiting when it accepts, whatever its speed
        with _crowd(port):
            child.send_signal(signal.SIGCONT)
            said = _said(child, "Too many open files")

        assert _serves(server, port)
        assert set(call(control, "GET", "/proxies")) == {"p"}
        child.terminate()
        code, errors = ended(child)
    assert code == 0
    assert (said + errors).count("Too many open files") <= 2  # not said at every attempt


def test_it_serves_again_after_each_of_its_files_was_held():
    with _with_few_files() as (child, control, server, port):
        with ExitStack() as held:
            for _ in range(80):  # one after the other, each with its connection to the upstream
                client = held.enter_context(_client(port))
                if not _is_served(child, server, client, held):
                    break
            else:
                pytest.fail("80 clients and their upstreams were served with 64 files")

        assert _serves(server, port)
        assert set(call(control, "GET", "/proxies")) == {"p"}
        child.terminate()
        code, _ = ended(child)
    assert code == 0


@contextmanager
def _with_few_files() -> Iterator[tuple[subprocess.Popen[bytes], int, socket.socket, int]]:
    """Run a proxy that may open 64 files; yield it, its two ports and its upstream."""

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as server,
        process("--port", "0", preexec_fn=few_files) as child,
    ):
        control = ready(child)["port"]
        upstream = f"127.0.0.1:{server.getsockname()[1]}"
        created = call(control, "POST", "/proxies", {"name": "p", "upstream": upstream})
        yield child, control, server, int(created["listen"].rpartition(":")[2])


def _client(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


@contextmanager
def _crowd(port: int) -> Iterator[None]:
    with ExitStack() as clients:
        for _ in range(80):
            clients.enter_context(_client(port))
        yield


def _is_served(
    child: subprocess.Popen[bytes], server: socket.socket, client: socket.socket, held: ExitStack
) -> bool:
    """Say whether the upstream gets a connection for a client.

    Otherwise the client is turned away, or not even accepted, of which the proxy complains.
    """
    readable, _, _ = select.select([server, client, child.stderr], [], [], BOUND_S)
    assert readable, "the client was neither served, nor turned away, nor complained of in time"
    if server in readable:
        held.enter_context(server.accept()[0])
    return server in readable


def _serves(server: socket.socket, port: int) -> bool:
    """Say whether a client reaches the upstream before long."""
    server.settimeout(0.3)  # then the next client tries
    for _ in range(40):  # the loop tries to accept again after a second
        with _client(port) as client:
            client.sendall(b"ping")
            if _reached(server):
                return True
    return False


def _said(child: subprocess.Popen[bytes], text: str) -> str:
    """Return what the child wrote to its standard error until it has written a text."""
    assert child.stderr is not None
    written = b""
    while text.encode() not in written:
        readable, _, _ = select.select([child.stderr], [], [], BOUND_S)
        assert readable, f"{text!r} was not said in time: {written!r}"
        written += os.read(child.stderr.fileno(), 65_536)
        assert child.poll() is None, f"it ended: {written!r}"
    return written.decode()


def _reached(server: socket.socket) -> bool:
    """Take connections until one brings the ping; those of the crowd bring nothing."""
    for _ in range(100):
        try:
            accepted, _ = server.accept()
        except TimeoutError:
            return False
        with accepted:
            accepted.settimeout(5)
            if accepted.recv(4) == b"ping":
                return True
    return False
