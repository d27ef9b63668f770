"""What a fault sends is what the services take: the two sides are written apart."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from random import Random
from typing import Any, TypeVar

import pytest

from fault_injectors.in_process import KINDS, InProcess
from fault_injectors.upstream_response import BODIES, UpstreamResponse
from harness.model.fields import fields_of, scale_fields
from resilience import ChaosFault, ChaosFaultInjector
from shadow_atlas.chaos import ActiveFaults, FaultDocument
from shadow_atlas.stand_ins.script_documents import read_script
from shadow_atlas.stand_ins.scripts import Body, Close, RetryAfterForm, Script
from shadow_atlas.upstreams.portals import LAYERS
from tests.shadow_atlas.fake_clock import FakeClock

Fault = TypeVar("Fault")

ANSWERS: tuple[dict[str, Any], ...] = (
    {"state": "WI"},
    {"layer": "county"},
    {"path": "/arcgis"},
    {"block": 0},
    {"attempts": (1, 3)},
    {"first": 2},
    {"probability": 0.5},
    {"probability": 0.001},
    {"latency_s": 0.001},
    {"latency_s": 600.0},
    {"status": 200},
    {"status": 599},
    {"retry_after_s": 0.0},
    {"retry_after_s": 600.0},
    {"retry_after_form": "seconds"},
    {"retry_after_form": "http_date"},
    *({"body": body} for body in BODIES),
    {"speed_bytes_per_s": 1.0},
    {"size_bytes": 256 * 1024 * 1024},
    {"error_code": 0},
    {"hang": True},
    {"page_size": 1},
    {"close": "before"},
    {"close": "mid"},
    {"close": "after"},
)
IN_PROCESS: tuple[dict[str, Any], ...] = (
    *({"kind": kind} for kind in KINDS),
    {"probability": 0.001},
    {"fail_first": 1},
    {"fail_first": 1000},
    {"error": "ECONNREFUSED"},
    {"error": "the portal is on holiday"},
    {"delay_s": 0.001},
    {"delay_s": 3600.0},
    {"status": 400},
    {"status": 599},
    {"size_bytes": 1},
    {"size_bytes": 1024**3},
    {"cpu_s": 0.001},
    {"cpu_s": 60.0},
)


def accepted(fault: type[Fault], options: tuple[dict[str, Any], ...]) -> Iterator[Fault]:
    """Yield every fault of up to four options that means something."""
    for size in range(1, 5):
        for chosen in combinations(options, size):
            keys = [key for option in chosen for key in option]
            if len(set(keys)) < len(keys):
                continue
            values = {key: value for option in chosen for key, value in option.items()}
            try:
                yield fault(service="portal_wi", **values)
            except (ValueError, TypeError):  # TypeError: without the kind
                continue


def read(script: Mapping[str, Any]) -> Script:
    """Read a script as the stand-in does, under a name that an environment gave it."""
    return read_script({"name": "script-1", **script}, states=("WI", "NE"), layers=LAYERS)


@pytest.mark.slow
def test_every_wrong_answer_that_is_accepted_here_is_accepted_by_the_stand_in():
    count = 0
    for fault in accepted(UpstreamResponse, ANSWERS):
        script = read(fault.script)
        count += 1

        assert (script.match.state, script.match.layer) == (fault.state, fault.layer)
        assert (script.match.path, script.match.block) == (fault.path, fault.block)
        assert script.when.attempts == fault.attempts
        assert (script.when.first, script.when.probability) == (fault.first, fault.probability)
        assert script.what.latency_s == (fault.latency_s or 0.0)
        assert (script.what.status, script.what.body) == (fault.status, fault.body)
        assert script.what.bytes_per_s == fault.speed_bytes_per_s
        assert (script.what.hang, script.what.close) == (fault.hang, fault.close)

    assert count > 1000


def test_every_word_of_the_stand_in_can_be_asked_for():
    choices = {item.key: item.choices for item in fields_of(UpstreamResponse)}

    assert choices["body"] == tuple(Body)
    assert choices["close"] == tuple(Close)
    assert choices["retry_after_form"] == tuple(RetryAfterForm)


def test_every_in_process_fault_that_is_accepted_here_is_accepted_by_the_service():
    injector = ChaosFaultInjector(enabled=True, rng=Random(1), clock=FakeClock())
    count = 0
    for fault in accepted(InProcess, IN_PROCESS):
        active = ActiveFaults(injector)
        active.set(FaultDocument(fault=fault.kind, **fault.settings))
        count += 1

        assert active.listing() == [{"name": fault.kind, "acted": 0}]

    assert count > 100


def test_every_kind_of_the_layer_can_be_asked_for():
    assert sorted(KINDS) == sorted(ChaosFault)


def test_a_scaled_fault_stays_one_that_the_stand_in_takes():
    fault = UpstreamResponse(service="portal_wi", latency_s=0.001)

    script = read(scale_fields(fault, 0.001).script)

    assert script.what.latency_s == pytest.approx(1e-6)
