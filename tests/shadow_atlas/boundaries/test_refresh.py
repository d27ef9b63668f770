"""A refresh puts a whole new set in force, or changes nothing."""

import asyncio

import pytest

from shadow_atlas.boundaries import COVERED_STATES
from shadow_atlas.migrate import migrate
from tests.shadow_atlas.boundaries.rig import Rig, health, refresh
from tests.shadow_atlas.postgres import connect

MADISON = (43.07305, -89.40123)
DANE_IS_OLD = "UPDATE areas SET digest = 'old', name = 'Old Dane' WHERE id = 'county:55025'"
ONE_IS_MISSING = "DELETE FROM areas WHERE id = 'county:55001'"
ONE_IS_TOO_MANY = "UPDATE areas SET id = 'county:55999', fips = '55999' WHERE id = 'county:55003'"
SOMEBODY_ELSE_CLAIMS = "UPDATE boundary_refresh SET claim = claim + 1"

pytestmark = pytest.mark.slow


def test_a_refresh_puts_a_version_in_force_that_every_later_answer_names(rig: Rig):
    async def scenario(api):
        before = await api.lookup(*MADISON)
        api.clock.advance(3600)
        old = await api.lookup(*MADISON)
        refreshed = await refresh(api)
        return before, old, refreshed, await api.lookup(*MADISON), await health(api)

    before, old, refreshed, after, told = rig.run(scenario)

    assert before.json()["boundaries"] == {"version": 1, "source": "shipped"}
    assert float(old.headers["x-atlas-boundaries-age-s"]) >= 3600.0
    assert refreshed.json() == {
        "what": "replaced",
        "version": 2,
        "areas": 1274,
        "changed": 0,  # the stand-in publishes what is shipped
        "reason": None,
    }
    assert after.json()["boundaries"] == {"version": 2, "source": "tiger"}
    assert after.json()["districts"] == before.json()["districts"]
    assert 0.0 <= float(after.headers["x-atlas-boundaries-age-s"]) <= 1.0  # the clock stands still
    assert told["level"] == "healthy"
    assert told["boundaries"]["version"] == 2


def test_what_is_wrong_new_or_gone_is_put_right_and_counted(rig: Rig):
    async def scenario(api):
        for statement in (DANE_IS_OLD, ONE_IS_MISSING, ONE_IS_TOO_MANY):
            await rig.sql(statement)
        old = await api.lookup(*MADISON)
        refreshed = await refresh(api)
        return old, refreshed, await api.lookup(*MADISON)

    shipped = asyncio.run(rig.fingerprint()).partition("}{")[0]
    old, refreshed, new = rig.run(scenario)

    assert old.json()["districts"][1]["name"] == "Old Dane"
    # Dane, the missing one, the one under a false code, and that false code.
    assert refreshed.json()["changed"] == 4
    assert new.json()["districts"][1]["name"] == "Dane"
    assert asyncio.run(rig.fingerprint()).partition("}{")[0] == shipped


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ({"body": "malformed"}, "malformed"),
        ({"body": "truncated"}, "malformed"),
        ({"body": "empty"}, "malformed"),
        ({"body": "wrong_type"}, "malformed"),
        ({"body": "error_in_200"}, "permanent"),
        ({"status": 503}, "service_unavailable"),
        ({"close": "mid"}, "network_error"),
    ],
    ids=str,
)
def test_a_last_state_that_fails_changes_nothing(rig: Rig, script, reason):
    rig.stand_ins.script("tiger", match={"state": COVERED_STATES[-1]}, **script)

    async def scenario(api):
        await rig.sql(DANE_IS_OLD)
        before = await rig.fingerprint()
        refreshed = await refresh(api)
        unchanged = before == await rig.fingerprint()
        return refreshed, unchanged, await api.lookup(*MADISON), await health(api), api

    refreshed, unchanged, lookup, told, api = rig.run(scenario)

    assert refreshed.status_code == 502
    assert (refreshed.json()["what"], refreshed.json()["reason"]) == ("failed", reason)
    assert unchanged
    assert lookup.json()["districts"][1]["name"] == "Old Dane"
    assert lookup.headers["x-atlas-source"] == "primary"
    assert (told["level"], told["boundaries"]["failed_refreshes"]) == ("degraded_minor", 1)
    whats = [(each["what"], each["reason"]) for each in api.events("boundary_refresh")]
    assert whats == [("started", None), ("failed", reason)]


def test_small_pages_are_walked_to_their_end(rig: Rig):
    rig.stand_ins.script("tiger", match={"state": "TX"}, page_size=60)

    refreshed = rig.run(refresh)

    assert (refreshed.json()["what"], refreshed.json()["changed"]) == ("replaced", 0)
    assert len(rig.stand_ins.received("tiger")) == len(COVERED_STATES) + 4  # 254 in pages of 60


def test_a_second_attempt_goes_on_where_the_first_one_stopped(rig: Rig):
    rig.stand_ins.script("tiger", match={"state": COVERED_STATES[-1]}, attempts=[1], status=503)

    async def scenario(api):
        return await refresh(api), api.events("attempt")

    refreshed, attempts = rig.run(scenario)

    assert refreshed.json()["what"] == "replaced"
    assert len(rig.stand_ins.received("tiger")) == len(COVERED_STATES) + 1
    assert [(each["link"], each["status"]) for each in attempts] == [
        ("api -> tiger", 503),
        ("api -> tiger", 200),
    ]


def test_the_third_failed_refresh_opens_the_circuit_and_the_next_asks_nobody(rig: Rig):
    rig.stand_ins.script("tiger", body="malformed")

    async def scenario(api):
        failed = [(await refresh(api)).json()["reason"] for _ in range(3)]
        asked = len(rig.stand_ins.received("tiger"))
        refused = await refresh(api)
        rig.stand_ins.lift("tiger")
        api.clock.advance(60)
        healed = await refresh(api)
        states = [(each["name"], each["to_state"]) for each in api.events("breaker")]
        return failed, asked, refused, healed, states, await health(api)

    failed, asked, refused, healed, states, told = rig.run(scenario)

    assert failed == ["malformed"] * 3
    assert asked == 3  # broken data is not asked for again
    assert refused.json()["reason"] == "circuit_open"
    assert healed.json()["what"] == "replaced"
    assert states == [
        ("boundary-updates", "open"),
        ("boundary-updates", "half_open"),
        ("boundary-updates", "closed"),
    ]
    assert (told["level"], told["boundaries"]["failed_refreshes"]) == ("healthy", 0)


def test_two_instances_do_one_refresh_and_both_know_of_it(rig: Rig):
    # Long enough for the second instance to ask while the first one waits.
    rig.stand_ins.script("tiger", match={"state": COVERED_STATES[0]}, latency_s=0.5)

    async def scenario(one):
        async with rig.api("other") as other:
            answers = await asyncio.gather(refresh(one), refresh(other))
            lookups = [await api.lookup(*MADISON) for api in (one, other)]
            return answers, lookups, await health(other)

    answers, lookups, told = rig.run(scenario)

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [each.json()["boundaries"]["version"] for each in lookups] == [2, 2]
    assert told["boundaries"]["version"] == 2
    assert len(rig.stand_ins.received("tiger")) == len(COVERED_STATES)


def test_one_instance_does_one_refresh_at_a_time(rig: Rig):
    rig.stand_ins.script("tiger", match={"state": COVERED_STATES[0]}, latency_s=0.5)

    async def scenario(api):
        return await asyncio.gather(*(refresh(api) for _ in range(5)))

    answers = rig.run(scenario)

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


def test_a_holder_whose_lease_has_passed_on_writes_nothing(rig: Rig):
    rig.stand_ins.script("tiger", match={"state": COVERED_STATES[0]}, latency_s=0.5)

    async def scenario(api):
        before = await rig.fingerprint()
        slow = asyncio.ensure_future(refresh(api))
        while not api.events("boundary_refresh"):  # noqa: ASYNC110 - bounded by the rig
            await asyncio.sleep(0.01)
        await rig.sql(SOMEBODY_ELSE_CLAIMS)
        return await slow, before == await rig.fingerprint()

    refreshed, is_unchanged = rig.run(scenario)

    assert refreshed.json()["reason"] == "claim_lost"
    assert is_unchanged


def test_a_set_that_lost_a_page_of_counties_is_refused_as_a_whole(rig: Rig):
    async def scenario(api):
        # As if Illinois had been stored with a fifth more than TIGERweb sends now.
        await rig.sql(
            "INSERT INTO areas SELECT 'county:17' || n, 'county', '17' || n, 'gone', 'IL', min_lon,"
            " min_lat, max_lon, max_lat, 'gone', geometry FROM areas, generate_series(800, 820) n"
            " WHERE id = 'county:17001'"
        )
        before = await rig.fingerprint()
        return await refresh(api), before == await rig.fingerprint()

    refreshed, is_unchanged = rig.run(scenario)

    assert refreshed.json()["reason"] == "malformed"
    assert is_unchanged


def test_lookups_in_the_middle_of_a_refresh_see_the_old_set_or_the_new_one(rig: Rig):
    async def scenario(api):
        await rig.sql(DANE_IS_OLD)
        replacing = asyncio.ensure_future(refresh(api))
        seen = []
        while not replacing.done():
            seen.append((await api.lookup(*MADISON, **{"x-client-id": str(len(seen))})).json())
        seen.append((await api.lookup(*MADISON)).json())
        return await replacing, seen

    refreshed, seen = rig.run(scenario)

    assert refreshed.status_code == 200
    pairs = {(each["boundaries"]["version"], each["districts"][1]["name"]) for each in seen}
    assert pairs == {(1, "Old Dane"), (2, "Dane")}


def test_a_dead_database_fails_a_refresh_before_anybody_is_asked(rig: Rig):
    async def scenario(api):
        rig.cluster.stop()
        return await refresh(api)

    refreshed = rig.run(scenario)

    assert (refreshed.status_code, refreshed.json()["reason"]) == (502, "network_error")
    assert rig.stand_ins.received("tiger") == []


def test_an_answer_from_the_cache_names_the_set_that_it_was_made_from(rig: Rig):
    async def scenario(api):
        await api.lookup(*MADISON)
        await refresh(api)
        rig.cluster.stop()
        return await api.lookup(*MADISON)

    stale = rig.run(scenario)

    assert stale.headers["x-atlas-source"] == "stale_cache"
    assert stale.json()["boundaries"] == {"version": 1, "source": "shipped"}


def test_migrating_again_keeps_what_a_refresh_brought_in(rig: Rig):
    async def scenario(api):
        await refresh(api)
        await rig.sql(DANE_IS_OLD)
        await rig.sql("UPDATE areas SET name = 'x', digest = 'x' WHERE id = 'state:55'")
        connection = await connect(rig.cluster)
        await migrate(connection)
        await connection.close()
        return (await api.lookup(*MADISON)).json()

    answer = rig.run(scenario)

    assert [each["name"] for each in answer["districts"]] == ["Wisconsin", "Old Dane"]
    assert answer["boundaries"] == {"version": 2, "source": "tiger"}


def test_strangers_cannot_make_the_service_ask_for_everything(rig: Rig):
    async def scenario(api):
        return await api.client.post("/v1/boundaries/refresh")

    response = rig.run(scenario)

    assert response.status_code == 404
    assert rig.stand_ins.received("tiger") == []


def test_metrics_count_refreshes_and_tell_the_version(rig: Rig):
    async def scenario(api):
        before = (await api.client.get("/metrics")).text
        await refresh(api)
        rig.stand_ins.script("tiger", body="empty")
        await refresh(api)
        return before, (await api.client.get("/metrics")).text

    before, after = rig.run(scenario)

    assert 'boundary_refreshes_total{what="failed"} 0.0' in before
    assert 'boundary_refreshes_total{what="replaced"} 1.0' in after
    assert 'boundary_refreshes_total{what="failed"} 1.0' in after
    assert "boundary_version 2.0" in after
    assert 'circuit_breaker_state{name="boundary-updates"} 0.0' in after
