"""Ports are free, ours alone, and out of the way of outgoing connections."""

import socket
from random import Random

import pytest

from harness.environments.ports import Ports, is_free
from harness.model.errors import HarnessError


def test_two_runs_with_the_same_seed_never_share_a_port():
    with Ports(Random(1)) as first, Ports(Random(1)) as second:
        taken = [ports.take() for _ in range(50) for ports in (first, second)]

    assert len(set(taken)) == 100


def test_a_port_that_somebody_listens_on_is_not_handed_out():
    with Ports(Random(2)) as ports:
        first = ports.take()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", first))
        busy.listen()

        with Ports(Random(2)) as ports:
            second = ports.take()

    assert second != first


def test_leaving_gives_the_ports_back():
    with Ports(Random(3)) as ports:
        first = ports.take()

    with Ports(Random(3)) as ports:
        assert ports.take() == first


def test_a_listener_on_one_of_our_ports_is_reported():
    with Ports(Random(4)) as ports:
        port = ports.take()
        with socket.socket() as late:
            late.bind(("127.0.0.1", port))
            late.listen()
            assert ports.still_taken() == [port]

        assert ports.still_taken() == []
        assert is_free(port)


def test_running_out_of_ports_names_the_range(monkeypatch):
    monkeypatch.setattr("harness.environments.ports.is_free", lambda _port: False)

    with Ports(Random(5)) as ports, pytest.raises(HarnessError, match="no free port between 10240"):
        ports.take()
