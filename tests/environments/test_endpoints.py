"""Faults inside real services and scripts of real stand-ins, through their chaos endpoints."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import httpx
import pytest

from harness.clock import SystemClock
from harness.environments import child
from harness.environments.endpoints import ChaosEndpoints
from harness.environments.ports import Ports
from harness.environments.services import ServiceProcess
from harness.environments.world import MARK
from harness.model.errors import FaultNotApplied
from harness.model.system import Service
from tests.environments.conftest import Surroundings, tiny

pytestmark = pytest.mark.slow

TOKEN = "token-of-this-test"  # noqa: S105 -- opens nothing but these processes
WI = "/arcgis/rest/services/WI/county/FeatureServer/0/query?where=1=1&f=geojson"
NE = WI.replace("/WI/", "/NE/")
EXTRACTION = {"state": "WI", "layer": "county"}
NOBODY = "127.0.0.1:1"


def portal() -> Service:
    command = ("python", "-m", "shadow_atlas.upstreams")
    return Service(name="portal_wi", command=command, ready_path="/v1/health", has_chaos=True)


def batch() -> Service:
    """Return the batch service; extractions need no database, so it has none."""
    command = ("python", "-m", "shadow_atlas.batch")
    return Service(name="batch", command=command, ready_path="/v1/health", has_chaos=True)


@asynccontextmanager
async def running(made: Surroundings, *services: Service):
    """Start services that know the portal, and yield them by name."""
    with Ports(Random(made.run_id)) as ports:
        taken = {service.name: ports.take() for service in services}
        addresses = {
            f"ATLAS_{name}_ADDRESS": NOBODY for name in ("DB", "PORTAL_CO", "PORTAL_NY", "TIGER")
        }
        addresses["ATLAS_PORTAL_WI_ADDRESS"] = f"127.0.0.1:{taken['portal_wi']}"
        async with AsyncExitStack() as stack:
            for service in services:
                made.services[service.name] = ServiceProcess(
                    service,
                    port=taken[service.name],
                    environment=child.inherited_environment(
                        **{MARK: made.run_id},
                        **addresses,
                        ATLAS_SERVICE=service.name,
                        ATLAS_PORT=str(taken[service.name]),
                        ATLAS_CHAOS_TOKEN=TOKEN,
                    ),
                    folder=made.work,
                    logs=made.logs,
                    clock=SystemClock(),
                    record=made.records.append,
                )
                stack.push_async_callback(made.services[service.name].stop)
            await asyncio.gather(*(made.services[one.name].start() for one in services))
            yield ChaosEndpoints(made.services, token=TOKEN, journal=made.journal)


async def ask(made: Surroundings, service: str, path: str, body: Any = None) -> int:
    """Return the status of a request."""
    url = f"http://127.0.0.1:{made.services[service].port}{path}"
    async with httpx.AsyncClient(trust_env=False, timeout=20.0) as client:
        method = "GET" if body is None else "POST"
        return (await client.request(method, url, json=body)).status_code


def on_services(surroundings, body, *services: Service) -> None:
    """Run a test's body with real services."""

    async def run() -> None:
        async with surroundings() as made, running(made, *services) as endpoints:
            await body(made, endpoints)

    asyncio.run(run())


SCRIPT: Mapping[str, Any] = {"match": {"state": "WI"}, "status": 503}


def test_script_bites_counts_heals_and_leaves_other_states_alone(surroundings):
    async def body(made: Surroundings, endpoints: ChaosEndpoints) -> None:
        async with endpoints.script("portal_wi", SCRIPT) as applied:
            during = [await ask(made, "portal_wi", path) for path in (WI, NE, WI)]
        after = await ask(made, "portal_wi", WI)

        assert during == [503, 200, 503]
        assert after == 200
        assert applied.effects == 2
        assert applied.effect.endswith("acted 2 times")

    on_services(surroundings, body, portal())


def test_script_heals_after_a_crash_and_after_a_cancellation_inside(surroundings):
    async def body(made: Surroundings, endpoints: ChaosEndpoints) -> None:
        with pytest.raises(ZeroDivisionError):
            async with endpoints.script("portal_wi", SCRIPT):
                raise ZeroDivisionError
        assert await ask(made, "portal_wi", WI) == 200

        is_in = asyncio.Event()

        async def hold() -> None:
            async with endpoints.script("portal_wi", SCRIPT):
                is_in.set()
                await asyncio.Event().wait()

        holding = asyncio.create_task(hold())
        await asyncio.wait_for(is_in.wait(), 10.0)
        assert await ask(made, "portal_wi", WI) == 503
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        assert await ask(made, "portal_wi", WI) == 200

    on_services(surroundings, body, portal())


def test_two_scripts_at_once_are_lifted_one_by_one(surroundings):
    async def body(made: Surroundings, endpoints: ChaosEndpoints) -> None:
        other = {"match": {"state": "NE"}, "status": 500}
        async with endpoints.script("portal_wi", SCRIPT):
            async with endpoints.script("portal_wi", other):
                both = [await ask(made, "portal_wi", path) for path in (WI, NE)]
            one = [await ask(made, "portal_wi", path) for path in (WI, NE)]

        assert both == [503, 500]
        assert one == [503, 200]

    on_services(surroundings, body, portal())


def test_what_cannot_be_applied_says_why(surroundings):
    async def refusal(effect) -> str:
        with pytest.raises(FaultNotApplied) as refused:
            async with effect:
                pass
        return str(refused.value)

    async def body(made: Surroundings, endpoints: ChaosEndpoints) -> None:
        stranger = ChaosEndpoints(made.services, token="another", journal=made.journal)  # noqa: S106 -- a wrong one
        wrong_token = await refusal(stranger.script("portal_wi", SCRIPT))
        wrong_script = await refusal(endpoints.script("portal_wi", {"status": 99}))
        absent = await refusal(endpoints.fault("portal_wi", "timeout", {}))
        nobody = await refusal(endpoints.fault("other", "timeout", {}))
        await made.services["portal_wi"].stop()
        stopped = await refusal(endpoints.script("portal_wi", SCRIPT))

        assert "/chaos/scripts answered 404" in wrong_token
        assert "/chaos/scripts answered 400" in wrong_script
        assert "status" in wrong_script
        assert "/chaos/faults answered 404" in absent
        assert nobody == "service 'other' is not running in this run"
        assert stopped == "service 'portal_wi' is not running in this run"

    on_services(surroundings, body, portal())


def test_service_without_chaos_endpoints_is_refused_before_it_is_asked(surroundings):
    async def run() -> None:
        async with surroundings(tiny("plain")) as made:
            endpoints = ChaosEndpoints(made.services, token=TOKEN, journal=made.journal)
            with pytest.raises(FaultNotApplied, match="gives service 'plain' no chaos endpoints"):
                async with endpoints.fault("plain", "timeout", {}):
                    pass

    asyncio.run(run())


def test_fault_inside_a_service_bites_counts_and_heals(surroundings):
    async def body(made: Surroundings, endpoints: ChaosEndpoints) -> None:
        before = await ask(made, "batch", "/v1/extractions", EXTRACTION)
        settings = {"probability": 1.0, "error": "ECONNREFUSED"}
        async with endpoints.fault("batch", "network_failure", settings) as applied:
            during = await ask(made, "batch", "/v1/extractions", EXTRACTION)
        after = await ask(made, "batch", "/v1/extractions", EXTRACTION)

        assert (before, after) == (200, 200)
        assert during != 200
        assert applied.effects >= 1
        assert json.dumps(applied.effects) in applied.effect

    on_services(surroundings, body, portal(), batch())
