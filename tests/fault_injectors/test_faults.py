"""Faults: each asks a capability for exactly what it says, and refuses what means nothing."""

import asyncio
import inspect

import pytest
from hypothesis import given, strategies as st

from fault_injectors.bandwidth import Bandwidth
from fault_injectors.catalogue import FAULTS
from fault_injectors.clock_skew import ClockSkew
from fault_injectors.connections_exhausted import ConnectionsExhausted
from fault_injectors.cpu_pressure import CpuPressure
from fault_injectors.cpu_quota import CpuQuota
from fault_injectors.disconnect import Disconnect
from fault_injectors.disk_full import DiskFull
from fault_injectors.dns_delay import DnsDelay
from fault_injectors.dns_failure import DnsFailure
from fault_injectors.down import Down
from fault_injectors.fds_exhausted import FdsExhausted
from fault_injectors.in_process import InProcess
from fault_injectors.kill import Kill
from fault_injectors.latency import Latency
from fault_injectors.limit_data import LimitData
from fault_injectors.memory_pressure import MemoryPressure
from fault_injectors.oom_kill import OomKill
from fault_injectors.partition import Partition
from fault_injectors.pause import Pause
from fault_injectors.reset_peer import ResetPeer
from fault_injectors.restart import Restart
from fault_injectors.slicer import Slicer
from fault_injectors.slow_close import SlowClose
from fault_injectors.stop import Stop
from fault_injectors.timeout import Timeout
from fault_injectors.traffic import whole_ms
from fault_injectors.upstream_response import UpstreamResponse
from harness.model.fault import Capability, Fault, ToxicSpec
from harness.model.fields import fields_of, scale_fields
from harness.model.system import Link
from tests.fault_injectors.recorded_capabilities import Recorded

LINK = Link("api", "db")

ASKED = [
    (
        Latency(link=LINK, delay_s=0.8, jitter_s=0.05),
        ("toxic", LINK, ToxicSpec(type="latency", attributes={"latency": 800, "jitter": 50})),
    ),
    (
        Bandwidth(link=LINK, stream="upstream", rate_bytes_per_s=64_000.0),
        ("toxic", LINK, ToxicSpec(type="bandwidth", stream="upstream", attributes={"rate": 64})),
    ),
    (
        Timeout(link=LINK, after_s=1.5, share_ratio=0.5),
        ("toxic", LINK, ToxicSpec(type="timeout", attributes={"timeout": 1500}, share=0.5)),
    ),
    (
        ResetPeer(link=LINK),
        ("toxic", LINK, ToxicSpec(type="reset_peer", attributes={"timeout": 0})),
    ),
    (
        SlowClose(link=LINK, delay_s=2.0),
        ("toxic", LINK, ToxicSpec(type="slow_close", attributes={"delay": 2000})),
    ),
    (
        Slicer(link=LINK, average_size_bytes=100, variation_bytes=10, delay_s=0.01),
        (
            "toxic",
            LINK,
            ToxicSpec(
                type="slicer",
                attributes={"average_size": 100, "size_variation": 10, "delay": 10_000},
            ),
        ),
    ),
    (
        LimitData(link=LINK, size_bytes=1024),
        ("toxic", LINK, ToxicSpec(type="limit_data", attributes={"bytes": 1024})),
    ),
    (Down(link=LINK), ("down", LINK)),
    (Partition(link=LINK), ("partition", LINK, "both", "drop")),
    (
        Partition(link=LINK, direction="response", answer="reject"),
        ("partition", LINK, "response", "reject"),
    ),
    (Disconnect(service="api"), ("disconnect", "api")),
    (DnsFailure(service="api", how="silence"), ("fail", "api", "silence")),
    (DnsDelay(service="api", delay_s=0.5), ("delay", "api", 0.5)),
    (Kill(service="api"), ("kill", "api")),
    (Stop(service="api"), ("stop", "api")),
    (Pause(service="api"), ("pause", "api")),
    (Restart(service="api"), ("restart", "api")),
    (CpuPressure(service="api", workers=2), ("cpu_pressure", "api", 2)),
    (MemoryPressure(service="api", size_bytes=4096), ("memory_pressure", "api", 4096)),
    (FdsExhausted(service="api"), ("fds_exhausted", "api", 0)),
    (ConnectionsExhausted(service="db", spare=1), ("connections_exhausted", "db", 1)),
    (CpuQuota(service="portal_wi", cores=0.05), ("cpu_quota", "portal_wi", 0.05)),
    (OomKill(service="batch"), ("oom_kill", "batch")),
    (DiskFull(service="db", spare_bytes=4096), ("fill", "db", 4096)),
    (ClockSkew(service="api", offset_s=-3600.0), ("skew", "api", -3600.0)),
    (
        InProcess(service="api", kind="network_failure", error="ECONNREFUSED"),
        ("fault", "api", "network_failure", {"probability": 1.0, "error": "ECONNREFUSED"}),
    ),
    (
        InProcess(service="api", kind="resource_exhaustion", fail_first=2, cpu_s=0.5),
        ("fault", "api", "resource_exhaustion", {"fail_first": 2, "cpu_s": 0.5}),
    ),
    (
        UpstreamResponse(
            service="portal_wi", state="WI", attempts=(1,), status=503, retry_after_s=2.0
        ),
        (
            "script",
            "portal_wi",
            {"match": {"state": "WI"}, "attempts": [1], "status": 503, "retry_after_s": 2.0},
        ),
    ),
    (UpstreamResponse(service="tiger", hang=True), ("script", "tiger", {"hang": True})),
]


@pytest.mark.parametrize(("fault", "call"), ASKED, ids=lambda each: getattr(each, "name", ""))
def test_a_fault_asks_for_what_it_says_and_heals_after_a_failure_inside(fault, call):
    capabilities = Recorded()

    async def break_and_fail() -> None:
        async with fault.inject(capabilities):
            assert capabilities.active == [call]
            raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(break_and_fail())

    assert capabilities.calls == [call]
    assert capabilities.active == []


def test_every_fault_of_the_catalogue_is_asked_here():
    assert {type(fault) for fault, _ in ASKED} == set(FAULTS)


@pytest.mark.parametrize(("fault", "call"), ASKED, ids=lambda each: getattr(each, "name", ""))
def test_a_fault_needs_the_capability_that_it_asks(fault, call):
    kinds = {
        "toxic": Capability.NETWORK,
        "down": Capability.NETWORK,
        "partition": Capability.NETWORK,
        "disconnect": Capability.ATTACHMENT,
        "fail": Capability.DNS,
        "delay": Capability.DNS,
        "fault": Capability.IN_PROCESS,
        "script": Capability.UPSTREAM,
        "fill": Capability.DISK,
        "skew": Capability.CLOCK,
        **dict.fromkeys(("kill", "stop", "pause", "restart"), Capability.PROCESS),
        **dict.fromkeys(("cpu_quota", "oom_kill"), Capability.LIMIT),
    }

    assert kinds.get(call[0], Capability.RESOURCE) in fault.needs
    assert fault.target == call[1]


def test_only_a_share_below_all_needs_control_over_a_share():
    whole, half = Latency(link=LINK, delay_s=1.0), Latency(link=LINK, delay_s=1.0, share_ratio=0.5)

    assert whole.needs == {Capability.NETWORK}
    assert half.needs == {Capability.NETWORK, Capability.NETWORK_SHARE}


def test_only_one_direction_that_is_rejected_needs_control_over_packets():
    needs = {
        (direction, answer): Partition(link=LINK, direction=direction, answer=answer).needs
        for direction in ("both", "request", "response")
        for answer in ("drop", "reject")
    }

    of_packets = {which for which, needed in needs.items() if Capability.PACKET in needed}
    assert of_packets == {("request", "reject"), ("response", "reject")}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_explains_itself(fault):
    text = inspect.getdoc(fault) or ""

    for label in ("Clients see: ", "Heals: ", "Cannot imitate: ", "Do: ", "Don't: "):
        assert f"\n{label}" in text
    assert fault.summary
    assert fault.summary[0].islower()
    assert not fault.summary.endswith(".")
    assert all(item.doc and not item.doc.endswith(".") for item in fields_of(fault))


def test_names_are_unique_and_fields_leave_room_for_the_timeline():
    names = [fault.name for fault in FAULTS]

    assert len(set(names)) == len(names)
    for fault in FAULTS:
        keys = [item.key for item in fields_of(fault)]
        assert len(set(keys)) == len(keys)
        assert not {"fault", "at", "for"} & set(keys)


def test_every_type_of_the_catalogue_is_a_fault():
    assert all(isinstance(fault, Fault) for fault, _ in ASKED)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Latency(link=LINK, delay_s=0.0), "delay: 0 s must be above 0 s"),
        (lambda: Latency(link=LINK, delay_s=float("nan")), "delay: nan s must be finite"),
        (
            lambda: Latency(link=LINK, delay_s=0.1, jitter_s=0.2),
            "jitter: 0.2 s exceeds the delay of 0.1 s; no message arrives before it is sent",
        ),
        (
            lambda: Latency(link=LINK, delay_s=1.0, stream="sideways"),
            "stream: 'sideways' must be one of upstream, downstream",
        ),
        (
            lambda: Latency(link=LINK, delay_s=1.0, share_ratio=0.0),
            "share: 0 must be at least 0.001",
        ),
        (
            lambda: Partition(link=LINK, direction="downstream"),
            "direction: 'downstream' must be one of both, request, response",
        ),
        (
            lambda: DnsFailure(service="api", how="nxdomain"),
            "how: 'nxdomain' must be one of refuse, silence",
        ),
        (lambda: DnsDelay(service="api", delay_s=0.0), "delay: 0 s must be above 0 s"),
        (lambda: Timeout(link=LINK, after_s=-1.0), "after: -1 s must not be negative"),
        (lambda: Bandwidth(link=LINK, rate_bytes_per_s=0.0), "rate: 0 per s must be above 0 per s"),
        (
            lambda: Slicer(link=LINK, average_size_bytes=5, variation_bytes=5),
            "variation: 5 bytes must be below the average_size of 5; a slice has at least one byte",
        ),
        (lambda: LimitData(link=LINK, size_bytes=-1), "size: -1 must be at least 0"),
        (lambda: CpuPressure(service="api", workers=65), "workers: 65 must be at most 64"),
        (lambda: CpuQuota(service="api", cores=0.0), "cores: 0 must be at least 0.01"),
        (lambda: DiskFull(service="db", spare_bytes=-1), "spare: -1 must be at least 0"),
        (
            lambda: ClockSkew(service="api", offset_s=0.0),
            "offset: 0 s is no wrong time; give one ahead or, negative, behind",
        ),
        (
            lambda: InProcess(service="api", kind="timeout", probability=0.5, fail_first=1),
            "fail_first: excludes probability; give one of them",
        ),
        (
            lambda: InProcess(service="api", kind="network_delay"),
            "kind: network_delay needs a delay; without one nothing is done",
        ),
        (
            lambda: InProcess(service="api", kind="resource_exhaustion"),
            "kind: resource_exhaustion needs a size or cpu",
        ),
        (
            lambda: InProcess(service="api", kind="network_failure", delay_s=1.0),
            "delay: means nothing to kind network_failure; only to network_delay and timeout",
        ),
    ],
)
def test_what_means_nothing_is_refused(make, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared below
        make()

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {},
            "nothing would be done; give one of latency, status, body, hang, page_size, close",
        ),
        (
            {"status": 503, "attempts": (1,), "first": 2},
            "first: excludes attempts; give one of them",
        ),
        (
            {"status": 503, "first": 1, "probability": 0.5},
            "probability: excludes first; give one of them",
        ),
        ({"status": 503, "attempts": ()}, "attempts: names no attempt, so nothing would be done"),
        ({"status": 503, "attempts": (0,)}, "attempts: 0 must be at least 1"),
        ({"hang": True, "status": 503}, "hang: leaves no answer that status could change"),
        (
            {"close": "before", "body": "empty"},
            "close: before leaves no answer that body could change",
        ),
        (
            {"status": 503, "body": "error_in_200"},
            "status: contradicts body error_in_200, which answers 200",
        ),
        ({"status": 503, "page_size": 5}, "status: contradicts page_size, which answers 200"),
        (
            {"latency_s": 1.0, "retry_after_s": 1.0},
            "retry_after: means nothing without a status",
        ),
        (
            {"status": 503, "retry_after_form": "http_date"},
            "retry_after_form: means nothing without retry_after",
        ),
        ({"body": "trickle"}, "body: trickle needs a speed"),
        ({"body": "empty", "speed_bytes_per_s": 5.0}, "speed: means nothing without body trickle"),
        ({"body": "empty", "size_bytes": 5}, "size: means nothing without body oversize"),
        ({"body": "empty", "error_code": 5}, "error_code: means nothing without body error_in_200"),
        ({"status": 99}, "status: 99 must be at least 200"),
    ],
)
def test_a_wrong_answer_that_means_nothing_is_refused(values, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared below
        UpstreamResponse(service="portal_wi", **values)

    assert str(caught.value) == message


@given(delay_s=st.floats(0.001, 3600.0), share=st.floats(0.0, 1.0), scale=st.floats(0.001, 1.0))
def test_a_fault_can_be_scaled_and_its_delay_never_becomes_nothing(delay_s, share, scale):
    fault = Latency(link=LINK, delay_s=delay_s, jitter_s=delay_s * share)

    scaled = scale_fields(fault, scale)

    assert scaled.delay_s == delay_s * scale
    assert whole_ms(scaled.delay_s) >= 1
    assert whole_ms(scaled.jitter_s) <= whole_ms(scaled.delay_s)


@given(rate=st.floats(1e3, 1e12), time_scale=st.floats(0.001, 1.0))
def test_a_bandwidth_is_divided_by_the_time_scale_so_that_a_transfer_shrinks_with_all_else(
    rate, time_scale
):
    scaled = scale_fields(Bandwidth(link=LINK, rate_bytes_per_s=rate), time_scale)

    assert scaled.rate_bytes_per_s >= rate
