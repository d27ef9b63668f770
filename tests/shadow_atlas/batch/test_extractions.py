"""Single extractions: real stand-ins, a real database, the whole service in this process."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from shadow_atlas.batch import BatchSettings
from shadow_atlas.portal_queries.query_forms import Query
from tests.shadow_atlas.batch.rig import BatchRig
from tests.shadow_atlas.postgres import free_port

pytestmark = pytest.mark.slow

EVERY_FORM = [
    ("WI", "portal_wi", 72),
    ("NE", "portal_wi", 93),
    ("CO", "portal_co", 64),
    ("DC", "portal_co", 1),
    ("NY", "portal_ny", 62),
    ("CT", "portal_ny", 8),
]


@pytest.mark.parametrize(("state", "portal", "feature_count"), EVERY_FORM)
def test_each_portal_answers_in_its_own_form(rig: BatchRig, state, portal, feature_count):
    async def scenario() -> dict[str, Any]:
        async with rig.running() as service:
            response = await service.extract(state)
            assert response.status_code == 200
            assert response.headers["x-atlas-source"] == "primary"
            document: dict[str, Any] = response.json()
            return document

    document = asyncio.run(scenario())

    assert document["portal"] == portal
    assert document["feature_count"] == feature_count
    assert document["attempts"] == 1


def test_a_transient_failure_is_retried_and_hidden(rig: BatchRig):
    rig.stand_ins.script("portal_wi", attempts=[1], status=503)

    response = _extract(rig, call_id="hidden")

    assert response.headers["x-atlas-source"] == "primary"
    assert response.json()["attempts"] == 2
    received = rig.stand_ins.received("portal_wi", "hidden")
    assert [(each["attempt"], each["status"]) for each in received] == [(1, 503), (2, 200)]


def test_nested_stacks_reach_a_failing_portal_three_times_in_all(rig: BatchRig):
    rig.stand_ins.script("portal_wi", status=503)
    rig.stand_ins.script("tiger", status=503)

    response = _extract(rig, call_id="nested")

    assert response.status_code == 503
    for portal in ("portal_wi", "tiger"):
        received = rig.stand_ins.received(portal, "nested")
        assert [each["attempt"] for each in received] == [1, 2, 3]


def test_tigerweb_stands_in_for_a_failing_portal(rig: BatchRig):
    rig.stand_ins.script("portal_wi", status=503)

    response = _extract(rig, call_id="tiger")

    assert response.status_code == 200
    assert response.headers["x-atlas-source"] == "degraded"
    assert response.json()["portal"] == "tiger"
    assert response.json()["feature_count"] == 72
    assert response.json()["attempts"] == 4


def test_the_last_good_extraction_stands_in_when_tigerweb_fails_too(rig: BatchRig):
    async def scenario() -> tuple[httpx.Response, httpx.Response]:
        async with rig.running() as service:
            good = await service.extract("CT")
            rig.stand_ins.script("portal_ny", status=503)
            rig.stand_ins.script("tiger", status=503)
            return good, await service.extract("CT")

    good, stale = asyncio.run(scenario())

    assert stale.status_code == 200
    assert stale.headers["x-atlas-source"] == "stale_cache"
    assert stale.json()["sha256"] == good.json()["sha256"]
    assert stale.json()["age_s"] > 0
    assert stale.json()["portal"] == "portal_ny"


@pytest.mark.parametrize("form", ["seconds", "http_date"])
def test_a_retry_after_is_waited_for_in_either_form(rig: BatchRig, form):
    wait_s = 0.6 if form == "seconds" else 1.0
    rig.stand_ins.script(
        "portal_co", attempts=[1], status=429, retry_after_s=wait_s, retry_after_form=form
    )

    response = _extract(rig, "CO", call_id=f"wait-{form}")

    assert response.json()["attempts"] == 2
    first, second = rig.stand_ins.received("portal_co", f"wait-{form}")
    # A date has whole seconds and counts from the answer, so up to a second of it is over.
    least_s = 0.6 if form == "seconds" else 0.0
    assert second["started_ns"] - first["t_ns"] >= least_s * 1e9 - 1e6


@pytest.mark.parametrize(
    "damage",
    [
        {"close": "before"},
        {"close": "mid"},
        {"hang": True},
        {"latency_s": 1.0},
        {"body": "trickle", "bytes_per_s": 1000},
        {"body": "error_in_200", "error_code": 503},
    ],
    ids=lambda damage: "-".join(str(value) for value in damage.values()),
)
@pytest.mark.parametrize("state", ["WI", "CO"])
def test_damage_that_may_pass_is_retried(rig: BatchRig, damage, state):
    portal = {"WI": "portal_wi", "CO": "portal_co"}[state]
    rig.stand_ins.script(portal, attempts=[1], **damage)
    settings = rig.with_request_retry(attempt_timeout_s=0.6)  # below the delay, above an answer

    response = _extract(rig, state, call_id=f"damage-{state}", settings=settings)

    assert response.headers["x-atlas-source"] == "primary"
    assert response.json()["attempts"] == 2


@pytest.mark.parametrize(
    "damage",
    [
        {"body": "malformed"},
        {"body": "truncated"},
        {"body": "empty"},
        {"body": "wrong_type"},
        {"body": "oversize"},
        {"body": "error_in_200", "error_code": 400},
        {"status": 404},
    ],
    ids=lambda damage: "-".join(str(value) for value in damage.values()),
)
def test_damage_that_will_not_pass_is_neither_retried_nor_hidden(rig: BatchRig, damage):
    rig.stand_ins.script("portal_wi", **damage)

    response = _extract(rig, call_id="permanent")

    assert response.status_code == 502
    assert response.json()["error"]["code"] == "UPSTREAM_ANSWER_UNUSABLE"
    assert len(rig.stand_ins.received("portal_wi", "permanent")) == 1
    assert rig.stand_ins.received("tiger", "permanent") == []


def test_a_permanent_server_error_is_covered_by_tigerweb_without_a_retry(rig: BatchRig):
    rig.stand_ins.script("portal_wi", body="error_in_200", error_code=500)

    response = _extract(rig, call_id="internal")

    assert response.headers["x-atlas-source"] == "degraded"
    assert len(rig.stand_ins.received("portal_wi", "internal")) == 1


def test_a_trickling_portal_is_cut_by_the_attempt_timeout(rig: BatchRig):
    rig.stand_ins.script("portal_wi", body="trickle", bytes_per_s=500)
    rig.stand_ins.script("tiger", status=503)

    settings = rig.with_request_retry(attempt_timeout_s=0.3)

    response = _extract(rig, call_id="trickle", settings=settings)

    assert response.status_code == 503
    for each in rig.stand_ins.received("portal_wi", "trickle"):
        assert each["bytes"] < 36_591  # the whole answer: less means that it was cut


def test_capped_pages_are_followed_to_the_end(rig: BatchRig):
    rig.stand_ins.script("portal_wi", page_size=10)

    response = _extract(rig, call_id="pages")

    assert response.json()["feature_count"] == 72
    assert len(rig.stand_ins.received("portal_wi", "pages")) == 8


def test_a_retry_repeats_only_the_page_that_failed(rig: BatchRig):
    rig.stand_ins.script("portal_wi", page_size=30)
    calls = {"pages": 0}

    async def scenario() -> httpx.Response:
        async with rig.running() as service:
            client = service.batch.portals.clients["portal_wi"]
            get_json = client.get_json

            async def fail_second_page(query: Query, *, call_id: str, attempt: int) -> object:
                calls["pages"] += 1
                if calls["pages"] == 2:
                    raise ConnectionResetError
                return await get_json(query, call_id=call_id, attempt=attempt)

            client.get_json = fail_second_page
            return await service.extract(call_id="resume")

    response = asyncio.run(scenario())

    assert response.json()["feature_count"] == 72
    assert len(rig.stand_ins.received("portal_wi", "resume")) == 3


def test_socrata_pages_are_followed_to_the_end(rig: BatchRig):
    settings = replace(rig.settings(), page_size=31)

    response = _extract(rig, "NY", call_id="socrata", settings=settings)

    assert response.json()["feature_count"] == 62
    # Two full pages, and the empty one that tells that the second was the last.
    assert len(rig.stand_ins.received("portal_ny", "socrata")) == 3


def test_an_open_circuit_of_one_state_leaves_its_neighbour_alone(rig: BatchRig):
    rig.stand_ins.script("portal_wi", match={"state": "WI"}, status=503)

    async def scenario() -> None:
        async with rig.running() as service:
            for number in range(4):
                await service.extract("WI", call_id=f"opening-{number}")
            assert rig.stand_ins.received("portal_wi", "opening-3") == []
            neighbour = await service.extract("NE")
            assert neighbour.headers["x-atlas-source"] == "primary"
            (opened,) = [e for e in service.events("breaker") if e["to_state"] == "open"]
            assert (opened["name"], opened["link"]) == (
                "upstream-portal_wi/WI",
                "batch -> portal_wi",
            )

    asyncio.run(scenario())


def test_an_open_circuit_without_fallback_is_a_rejection(rig: BatchRig):
    rig.stand_ins.script("portal_wi", status=503)
    rig.stand_ins.script("tiger", status=503)

    async def scenario() -> httpx.Response:
        async with rig.running() as service:
            for number in range(3):
                await service.extract(call_id=f"opening-{number}")
            return await service.extract(call_id="rejected")

    response = asyncio.run(scenario())

    assert response.status_code == 503
    assert response.headers["x-atlas-rejected-by"] == "breaker"
    assert int(response.headers["retry-after"]) >= 1
    assert rig.stand_ins.received("portal_wi", "rejected") == []


def test_a_full_bulkhead_rejects_what_five_slots_and_ten_places_cannot_take(rig: BatchRig):
    rig.stand_ins.script("portal_wi", latency_s=0.1)

    async def scenario() -> list[httpx.Response]:
        async with rig.running(
            rig.with_request_retry(attempt_timeout_s=5, total_timeout_s=20)
        ) as s:
            calls = (s.extract(call_id=f"crowd-{number}") for number in range(25))
            return list(await asyncio.gather(*calls))

    responses = asyncio.run(scenario())

    rejected = [each for each in responses if each.headers.get("x-atlas-rejected-by")]
    assert {each.headers["x-atlas-rejected-by"] for each in rejected} == {"bulkhead"}
    assert len(rejected) >= 10  # a queue timeout of 0.1 s may add some of the ten that waited
    assert all(each.status_code == 503 for each in rejected)
    assert sum(each.status_code == 200 for each in responses) == 25 - len(rejected)


def test_attempts_are_recorded_with_the_link_that_they_crossed(rig: BatchRig):
    rig.stand_ins.script("portal_ny", attempts=[1], status=429)

    async def scenario() -> list[dict[str, Any]]:
        async with rig.running() as service:
            await service.extract("NY", call_id="recorded")
            return [e for e in service.events("attempt") if e["call_id"] == "recorded"]

    first, second = asyncio.run(scenario())

    assert {first["link"], second["link"]} == {"batch -> portal_ny"}
    assert (first["attempt"], first["outcome"], first["status"]) == (1, "failed", 429)
    assert first["error_class"] == "rate_limit"
    assert (second["attempt"], second["outcome"], second["status"]) == (2, "ok", 200)
    assert second["backoff_s"] > 0


def test_a_layer_that_the_state_lacks_is_refused_without_a_call(rig: BatchRig):
    response = _extract(rig, "NE", "state_house", call_id="unicameral")

    assert response.status_code == 422
    assert rig.stand_ins.received("portal_wi", "unicameral") == []


def test_an_extraction_needs_no_database(rig: BatchRig):
    settings = rig.settings(ATLAS_DB_ADDRESS=f"127.0.0.1:{free_port()}")

    response = _extract(rig, call_id="no-database", settings=settings)

    assert response.status_code == 200
    assert response.headers["x-atlas-source"] == "primary"


def _extract(
    rig: BatchRig,
    state: str = "WI",
    layer: str = "county",
    *,
    call_id: str,
    settings: BatchSettings | None = None,
) -> httpx.Response:
    async def scenario() -> httpx.Response:
        async with rig.running(settings) as service:
            return await service.extract(state, layer, call_id=call_id)

    return asyncio.run(scenario())
