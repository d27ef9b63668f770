"""A service that stops answers once more on each connection, and can leave its socket behind."""

import http.client
import os
import signal
import socket

import httpx
import pytest

from shadow_atlas.listening import adopt, listen
from tests.shadow_atlas.postgres import free_port
from tests.shadow_atlas.running import api_process, wait_for

pytestmark = pytest.mark.slow

REQUEST = b"GET /v1/health HTTP/1.1\r\nHost: api\r\n\r\n"


@pytest.fixture
def api(cluster, tmp_path):
    with api_process(tmp_path, cluster.address) as running:
        wait_for(running, lambda health: health["ready"])
        yield running


def test_a_connection_is_answered_until_an_answer_says_that_it_is_the_last(api):
    pooled = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    assert ask(pooled) == (200, None)

    api.process.send_signal(signal.SIGTERM)
    answers = [ask(pooled)]
    while answers[-1] == (200, None):
        answers.append(ask(pooled))  # on the same connection: bounded by the stop of the service

    assert answers[-1] == (200, "close")
    assert api.process.wait(timeout=20) == 0


def ask(pooled):
    pooled.request("GET", "/v1/health")
    answer = pooled.getresponse()
    answer.read()
    return answer.status, answer.getheader("connection")


def test_a_connection_on_which_nobody_asks_does_not_delay_the_stop(api):
    with socket.create_connection(("127.0.0.1", api.port), timeout=10):
        api.process.send_signal(signal.SIGTERM)

        assert api.process.wait(timeout=8) == 0  # well below the grace of 12 s


def test_the_next_process_answers_whoever_waits_in_the_socket_of_the_last_one(cluster, tmp_path):
    port = free_port()
    with listen("127.0.0.1", port) as held, httpx.Client(trust_env=False, timeout=20) as client:
        descriptor = os.dup(held.fileno())
        os.set_inheritable(descriptor, True)  # noqa: FBT003 -- its only argument
        adopted = adopt(descriptor)

        assert adopted.getsockname() == ("127.0.0.1", port)
        adopted.close()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as early:
            early.sendall(REQUEST)  # nobody serves yet
            told = {"ATLAS_LISTENER_FD": str(held.fileno())}
            with api_process(tmp_path, cluster.address, listener=held, **told):
                assert early.recv(65536).startswith(b"HTTP/1.1 200")
                assert client.get(f"http://127.0.0.1:{port}/v1/health").status_code == 200


def test_a_descriptor_that_does_not_listen_is_refused_and_left_open():
    with socket.socket() as idle:
        with pytest.raises(ValueError, match="does not listen"):
            adopt(idle.fileno())

        assert idle.fileno() > 0
        assert idle.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
