"""Settings of the ipfs service, and its reference page."""

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry

from resilience import create_stack
from shadow_atlas.content_addressing import FileLimits
from shadow_atlas.events import EventLog
from shadow_atlas.ipfs import IpfsSettings, create_app
from shadow_atlas.presets import IPFS_GATEWAY
from shadow_atlas.stand_ins.scripts import Body
from tests.shadow_atlas.fake_clock import FakeClock
from tests.shadow_atlas.ipfs.rig import settings

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "ipfs.md").read_text()
VARIABLES = {f"ATLAS_GATEWAY_{letter}_ADDRESS": "127.0.0.1:1" for letter in "ABC"}


def test_time_scale_multiplies_every_duration():
    scaled = settings(VARIABLES, time_scale=0.1)

    breaker, retry = scaled.gateway.breaker, scaled.gateway.retry
    assert (
        breaker.open_duration_s,
        breaker.monitoring_window_s,
        breaker.probe_timeout_s,
        retry.initial_delay_s,
        retry.max_delay_s,
        retry.attempt_timeout_s,
        retry.total_timeout_s,
        scaled.sync.bulkhead.queue_timeout_s,
    ) == pytest.approx((6.0, 60.0, 9.5, 0.1, 3.0, 3.0, 9.5, 0.5))


def test_five_calls_that_hang_to_their_end_fit_into_the_window():
    longest_s = IPFS_GATEWAY.retry.total_timeout_s

    # The first failure is a call's length after the first start, the fifth one five lengths.
    assert IPFS_GATEWAY.breaker.monitoring_window_s > 4 * longest_s


def test_a_probe_keeps_its_place_as_long_as_a_call_can_take():
    assert IPFS_GATEWAY.breaker.probe_timeout_s >= IPFS_GATEWAY.retry.total_timeout_s


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"gateways": {}}, "gateways without an address: gateway_a, gateway_b, gateway_c"),
        ({"memory_limit_bytes": 1}, "memory_limit_bytes=1 must be at least"),
        (
            {
                "gateway": replace(
                    IPFS_GATEWAY, retry=replace(IPFS_GATEWAY.retry, total_timeout_s=90.0)
                )
            },
            "3 attempts of 30 s",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes, problem):
    with pytest.raises(ValueError, match=problem):
        settings(VARIABLES, **changes)


def test_the_page_names_every_endpoint():
    clock = FakeClock()
    app = create_app(
        IpfsSettings.from_environment({"ATLAS_SERVICE": "ipfs", "ATLAS_PORT": "1", **VARIABLES}),
        clock=clock,
        rng=random.Random(1),
        metrics_registry=CollectorRegistry(),
        event_sink=EventLog(service="ipfs", incarnation="1", clock=clock),
        resilience=create_stack,
    )
    served = {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, APIRoute) and route.path.startswith("/v1/")
        for method in route.methods
    }

    documented = set(re.findall(r"^\| `((?:GET|POST) [^`]*)`", PAGE, re.MULTILINE))

    assert documented == served


def test_the_page_names_every_limit():
    limits = FileLimits()

    assert (
        f"{limits.block_bytes // 2**20} MiB a block, {limits.file_bytes // 2**20} MiB a file, "
        f"{limits.depth} levels, {limits.blocks} blocks"
    ) in PAGE


def test_the_page_names_every_wrong_body():
    for body in Body:
        assert f"{body.value}`" in PAGE
