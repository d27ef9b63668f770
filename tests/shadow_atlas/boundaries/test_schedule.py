"""When refreshes are due, and the settings that say so."""

import asyncio
import random
from dataclasses import replace

import pytest

from resilience import StackConfig
from shadow_atlas.boundaries.updates import Pace
from shadow_atlas.environment import Address, ConfigurationError
from shadow_atlas.presets import BOUNDARY_UPDATE
from shadow_atlas.settings import ApiSettings, BoundarySettings
from tests.shadow_atlas.boundaries.rig import Rig, health
from tests.shadow_atlas.fake_clock import FakeClock

TIGER = Address(host="127.0.0.1", port=8085)
ENVIRONMENT = {
    "ATLAS_SERVICE": "api",
    "ATLAS_PORT": "8080",
    "ATLAS_DB_ADDRESS": "127.0.0.1:5432",
}


def waited_s(age_s):
    clock = FakeClock(now_s=0.0)
    pace = Pace(clock=clock, rng=random.Random(1), refresh_s=3600.0, retry_s=20.0)
    asyncio.run(pace.wait_until_due(age_s))
    return clock.now_s


def test_a_set_is_refreshed_once_it_is_old_and_an_unknown_one_at_once():
    assert waited_s(None) == 0.0
    assert waited_s(5000.0) == 0.0
    assert 600.0 <= waited_s(3000.0) <= 660.0  # the rest of the hour, and up to a tenth of it


def test_instances_that_were_started_together_do_not_ask_together():
    pauses_s = set()
    for seed in range(10):
        clock = FakeClock(now_s=0.0)
        pace = Pace(clock=clock, rng=random.Random(seed), refresh_s=3600.0, retry_s=20.0)
        asyncio.run(pace.wait_to_retry())
        pauses_s.add(clock.now_s)

    assert len(pauses_s) == 10
    assert 20.0 <= min(pauses_s) <= max(pauses_s) <= 22.0


@pytest.mark.slow
def test_an_old_set_is_refreshed_without_being_asked(rig: Rig):
    asyncio.run(rig.sql("UPDATE boundary_versions SET stored_at = now() - interval '2 hours'"))

    async def scenario(api):
        while (told := await health(api))["boundaries"]["version"] != 2:  # noqa: ASYNC110 - bounded
            await asyncio.sleep(0.01)
        return told

    told = rig.run(scenario)  # which is bounded

    assert told["boundaries"]["source"] == "tiger"


@pytest.mark.slow
def test_a_young_set_is_left_alone(rig: Rig):
    async def scenario(api):
        # The loop has looked once when it knows the version; after that it pauses.
        while not (await health(api))["boundaries"]["version"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        return api.events("boundary_refresh")

    assert rig.run(scenario) == []
    assert rig.stand_ins.received("tiger") == []


def test_without_an_address_there_are_no_updates():
    assert ApiSettings.from_environment(ENVIRONMENT).boundaries is None


def test_every_time_is_scaled_and_the_interval_can_be_set():
    settings = ApiSettings.from_environment(
        {
            **ENVIRONMENT,
            "ATLAS_TIGER_ADDRESS": str(TIGER),
            "ATLAS_BOUNDARY_REFRESH_S": "600",
            "ATLAS_TIME_SCALE": "0.1",
        }
    ).boundaries

    assert settings is not None
    assert settings.tiger == TIGER
    assert settings.stack.breaker is not None
    times_s = (
        settings.refresh_s,
        settings.retry_s,
        settings.request_timeout_s,
        settings.write_s,
        settings.lease_s,
        settings.stack.breaker.open_duration_s,
    )
    assert times_s == pytest.approx((60.0, 2.0, 1.0, 2.0, 18.0, 6.0))


@pytest.mark.parametrize("text", ["0", "-1", "inf", "soon"])
def test_an_interval_that_is_no_time_is_named(text):
    with pytest.raises(ConfigurationError, match="ATLAS_BOUNDARY_REFRESH_S"):
        ApiSettings.from_environment({**ENVIRONMENT, "ATLAS_BOUNDARY_REFRESH_S": text})


def test_a_lease_outlasts_a_refresh():
    with pytest.raises(ValueError, match=r"lease_s=100\.0 must be above 145"):
        BoundarySettings(tiger=TIGER, lease_s=100.0)
    retry = BOUNDARY_UPDATE.retry
    assert retry is not None
    assert BoundarySettings(tiger=TIGER, stack=StackConfig(name="bare"), lease_s=21.0)
    with pytest.raises(ValueError, match="total_timeout_s"):
        BoundarySettings(
            tiger=TIGER, stack=replace(BOUNDARY_UPDATE, retry=replace(retry, total_timeout_s=60.0))
        )
