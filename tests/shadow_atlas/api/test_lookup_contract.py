"""What a client of the api is promised, against a real PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest

from resilience import LimiterConfig
from shadow_atlas.geometry import STATES_BY_POSTAL
from tests.shadow_atlas.cities import CITIES
from tests.shadow_atlas.postgres import connect
from tests.shadow_atlas.running import api_in_process, api_settings

MADISON = (43.07305, -89.40123)
WISCONSIN = {"level": "state", "fips": "55", "name": "Wisconsin", "state": "WI"}
DANE = {"level": "county", "fips": "55025", "name": "Dane", "state": "WI"}
SELECT_DANE = "SELECT digest, geometry FROM areas WHERE id = 'county:55025'"
UPDATE_DANE = "UPDATE areas SET digest = $1, geometry = $2 WHERE id = 'county:55025'"
MIDATLANTIC = (35.0, -45.0)

pytestmark = pytest.mark.slow

BAD_COORDINATES = [
    ({}, "lat is missing"),
    ({"lat": "1"}, "lon is missing"),
    ({"lat": "", "lon": "1"}, "lat is missing"),
    ({"lat": "north", "lon": "1"}, "lat must be a number, got 'north'"),
    ({"lat": "nan", "lon": "1"}, "lat must be in [-90, 90], got nan"),
    ({"lat": "1", "lon": "NaN"}, "lon must be in [-180, 180], got nan"),
    ({"lat": "inf", "lon": "1"}, "lat must be in [-90, 90], got inf"),
    ({"lat": "1", "lon": "-Infinity"}, "lon must be in [-180, 180], got -inf"),
    ({"lat": "90.0001", "lon": "1"}, "lat must be in [-90, 90], got 90.0001"),
    ({"lat": "1", "lon": "-180.5"}, "lon must be in [-180, 180], got -180.5"),
    ({"lat": "1e999", "lon": "1"}, "lat must be in [-90, 90], got inf"),
    ({"lat": "4_3", "lon": "1"}, "lat must be a number of at most 64 characters"),
    ({"lat": "1" * 5000, "lon": "1"}, "lat must be a number of at most 64 characters"),
    ({"lat": "43,07", "lon": "1"}, "lat must be a number, got '43,07'"),
    ({"lat": "1; DROP TABLE areas", "lon": "1"}, "lat must be a number"),
]


@pytest.fixture
def settings(cluster):
    return api_settings(cluster.address)


def run(settings, folder, scenario):
    async def main():
        async with api_in_process(settings, folder) as api:
            return await scenario(api)

    return asyncio.run(main())


def test_published_coordinates_resolve_to_their_true_county(settings, tmp_path):
    async def scenario(api):
        return {city: (await api.lookup(city.lat, city.lon)).json() for city in CITIES}

    answers = run(settings, tmp_path, scenario)

    for city, answer in answers.items():
        state = STATES_BY_POSTAL[city.state]
        assert answer["districts"] == [
            {"level": "state", "fips": state.fips, "name": state.name, "state": city.state},
            {
                "level": "county",
                "fips": city.county_fips,
                "name": city.county,
                "state": city.state,
            },
        ]


def test_answer_names_districts_source_and_age_and_keeps_the_call_id(settings, tmp_path):
    async def scenario(api):
        return await api.lookup(*MADISON, **{"x-atlas-call-id": "call-7"})

    response = run(settings, tmp_path, scenario)

    assert response.status_code == 200
    assert response.json() == {
        "districts": [WISCONSIN, DANE],
        "source": "primary",
        "age_s": None,
        "boundaries": {"version": 1, "source": "shipped"},
    }
    assert float(response.headers["x-atlas-boundaries-age-s"]) > 0.0
    assert response.headers["x-atlas-call-id"] == "call-7"
    assert response.headers["x-atlas-source"] == "primary"
    assert "x-atlas-age-s" not in response.headers
    assert "x-atlas-rejected-by" not in response.headers


def test_place_outside_the_coverage_is_an_answer_and_not_a_failure(settings, tmp_path):
    async def scenario(api):
        response = await api.lookup(*MIDATLANTIC)
        return response, (await api.client.get("/metrics")).text

    response, metrics = run(settings, tmp_path, scenario)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "OUTSIDE_COVERAGE"
    assert response.headers["x-atlas-source"] == "primary"
    assert 'circuit_breaker_failures_total{name="api-server"} 0.0' in metrics
    assert 'circuit_breaker_successes_total{name="api-server"} 1.0' in metrics


@pytest.mark.parametrize(("query", "message"), BAD_COORDINATES)
def test_bad_coordinate_is_refused_without_asking_the_database(settings, tmp_path, query, message):
    async def scenario(api):
        response = await api.client.get("/v1/lookup", params=query)
        return response, api.events("attempt")

    response, attempts = run(settings, tmp_path, scenario)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BAD_COORDINATES"
    assert message in response.json()["error"]["message"]
    assert attempts == []


def test_every_lookup_asks_the_database(settings, tmp_path):
    async def scenario(api):
        for number in range(3):
            await api.lookup(*MADISON, **{"x-atlas-call-id": f"call-{number}"})
        return api.events("attempt")

    attempts = run(settings, tmp_path, scenario)

    assert [(each["call_id"], each["link"], each["outcome"]) for each in attempts] == [
        (f"call-{number}", "api -> db", "ok") for number in range(3)
    ]


def test_client_that_used_its_tokens_is_told_when_to_come_back(settings, tmp_path):
    async def scenario(api):
        return [await api.lookup(*MADISON, **{"x-client-id": "a"}) for _ in range(150)]

    responses = run(settings, tmp_path, scenario)

    assert [response.status_code for response in responses] == [200] * 100 + [429] * 50
    refused = responses[-1]
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"  # although it is cached
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-atlas-rejected-by"] == "limiter"


def test_tokens_belong_to_each_client_and_come_back_with_time(cluster, tmp_path):
    limited = api_settings(
        cluster.address, clients=LimiterConfig(capacity=1.0, refill_rate_per_s=0.5, burst=None)
    )

    async def scenario(api):
        statuses = []
        for client, wait_s in (("a", 0), ("a", 0), ("b", 0), ("a", 1.9), ("a", 0.2)):
            api.clock.advance(wait_s)
            statuses.append((await api.lookup(*MADISON, **{"x-client-id": client})).status_code)
        return statuses

    assert run(limited, tmp_path, scenario) == [200, 429, 200, 429, 200]


def test_limited_call_touches_nothing_behind_the_limiter(cluster, tmp_path):
    limited = api_settings(
        cluster.address, clients=LimiterConfig(capacity=1.0, refill_rate_per_s=1.0, burst=None)
    )

    async def scenario(api):
        for _ in range(5):
            await api.lookup(*MADISON)
        return len(api.events("attempt")), [each["decision"] for each in api.events("limiter")]

    attempts, decisions = run(limited, tmp_path, scenario)

    assert attempts == 1
    assert decisions == ["allowed"] + ["rejected"] * 4


def test_two_instances_in_one_process_share_nothing(cluster, tmp_path):
    strict = api_settings(
        cluster.address, clients=LimiterConfig(capacity=1.0, refill_rate_per_s=1.0, burst=None)
    )
    lenient = api_settings(cluster.address)

    async def main():
        async with (
            api_in_process(strict, tmp_path) as first,
            api_in_process(lenient, tmp_path) as second,
        ):
            return [
                [(await api.lookup(*MADISON)).status_code for _ in range(2)]
                for api in (first, second)
            ], [len(api.events("request")) for api in (first, second)]

    statuses, requests = asyncio.run(main())

    assert statuses == [[200, 429], [200, 200]]
    assert requests == [2, 2]


def test_health_names_level_circuits_and_readiness(settings, tmp_path):
    async def scenario(api):
        await api.lookup(*MADISON)
        return await api.client.get("/v1/health")

    response = run(settings, tmp_path, scenario)

    assert response.status_code == 200
    health = response.json()
    assert health.pop("boundaries")["version"] == 1
    assert health == {
        "service": "api",
        "incarnation": "1",
        "level": "healthy",
        "ready": True,
        "breakers": {"api-server": "closed"},
    }


def test_metrics_carry_the_names_of_the_guide(settings, tmp_path):
    async def scenario(api):
        await api.lookup(*MADISON, **{"x-client-id": "a"})
        return (await api.client.get("/metrics")).text

    metrics = run(settings, tmp_path, scenario)

    values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line[0] != "#")
    expected = {
        'circuit_breaker_state{name="api-server"}': 0.0,
        'circuit_breaker_not_closed_since{name="api-server"}': 0.0,
        'circuit_breaker_successes_total{name="api-server"}': 1.0,
        'bulkhead_active{name="api-server"}': 0.0,
        'bulkhead_queued{name="api-server"}': 0.0,
        'bulkhead_completed_total{name="api-server"}': 1.0,
        'rate_limiter_tokens{client="a"}': 99.0,
        'rate_limiter_allowed_total{client="a"}': 1.0,
    }
    assert {name: float(values[name]) for name in expected} == pytest.approx(expected)


def test_new_edition_of_an_area_replaces_the_parsed_shape(cluster, tmp_path, settings):
    elsewhere = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}'

    async def scenario(api):
        before = (await api.lookup(*MADISON)).json()["districts"]
        connection = await connect(cluster)
        old = await connection.fetchrow(SELECT_DANE)
        try:
            await connection.execute(UPDATE_DANE, "new", elsewhere)
            after = (await api.lookup(*MADISON)).json()["districts"]
        finally:
            await connection.execute(UPDATE_DANE, *old)
            await connection.close()
        return before, after

    before, after = run(settings, tmp_path, scenario)

    assert before == [WISCONSIN, DANE]
    assert after == [WISCONSIN]


def test_settings_reach_the_stack(cluster, tmp_path):
    base = api_settings(cluster.address)
    renamed = replace(base, lookup=replace(base.lookup, name="other"))

    async def scenario(api):
        return (await api.client.get("/v1/health")).json()["breakers"]

    assert run(renamed, tmp_path, scenario) == {"other": "closed"}
