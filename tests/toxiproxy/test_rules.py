"""Which toxics may be sent to which proxy."""

import pytest

from fault_injectors.toxics import Bandwidth, Behaviour, Latency, Noop, Slicer, Timeout, Toxic
from fault_injectors.toxiproxy import Proxy, ProxyKind, ToxicRefused, capabilities, check_toxic

REFUSED: list[tuple[Behaviour, str]] = [
    (Latency(delay_s=3601), "delay_s=3601 must be at most 3600.0"),
    (Latency(delay_s=0.1, jitter_s=0.2), "jitter_s=0.2 must be at most delay_s=0.1"),
    (Timeout(after_s=5000), "after_s=5000 must be at most 3600.0"),
    (Bandwidth(rate_bytes_per_s=2e12), "must be at most 1e12"),
    (Slicer(average_size_bytes=0, size_variation_bytes=1), "average_size_bytes must be at least 1"),
    (Slicer(average_size_bytes=9, size_variation_bytes=9), "must be below average_size_bytes=9"),
]


@pytest.mark.parametrize(("behaviour", "reason"), REFUSED, ids=lambda each: str(each)[:40])
@pytest.mark.parametrize("kind", list(ProxyKind))
def test_values_that_are_a_mistake_are_refused(kind: ProxyKind, behaviour: Behaviour, reason: str):
    with pytest.raises(ToxicRefused, match="was not sent") as caught:
        check_toxic(Toxic(name="t", behaviour=behaviour), kind)

    assert reason in str(caught.value)


def test_a_share_of_connections_is_refused_with_the_real_server_and_says_why():
    share = Toxic(name="t", behaviour=Noop(), toxicity=0.5)

    check_toxic(share, ProxyKind.EMBEDDED)
    with pytest.raises(ToxicRefused, match=r"cannot be reproduced.*use the embedded proxy"):
        check_toxic(share, ProxyKind.TOXIPROXY)


def test_every_reason_is_told_at_once():
    toxic = Toxic(name="1st toxic", behaviour=Latency(delay_s=4000), toxicity=0)

    with pytest.raises(ToxicRefused) as caught:
        check_toxic(toxic, ProxyKind.TOXIPROXY)

    assert str(caught.value).count(";") >= 3


def test_the_kinds_differ_in_what_they_can_do():
    assert capabilities(ProxyKind.EMBEDDED).draws_by_seed
    assert not capabilities(ProxyKind.TOXIPROXY).draws_by_seed


@pytest.mark.parametrize("name", ["", "a/b", "..", "ü", "1a", "a b"])
def test_names_of_proxies_are_those_that_every_path_carries(name: str):
    with pytest.raises(ValueError, match="a letter first"):
        Proxy(name=name, listen="127.0.0.1:0", upstream="127.0.0.1:1")


@pytest.mark.parametrize("address", ["", ":80", "127.0.0.1", "127.0.0.1:", "a b:1", "host:port"])
def test_addresses_have_a_host_and_a_port(address: str):
    with pytest.raises(ValueError, match="must be host:port"):
        Proxy(name="a", listen=address, upstream="127.0.0.1:1")
    with pytest.raises(ValueError, match="must be host:port"):
        Proxy(name="a", listen="127.0.0.1:0", upstream=address)


def test_an_address_may_be_ipv6():
    assert Proxy(name="a", listen="[::1]:80", upstream="[::1]:81").address == ("::1", 80)
