"""What the api does while its database is away, and when it is back."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from resilience import BreakerConfig
from shadow_atlas.database import Database
from shadow_atlas.environment import Address
from shadow_atlas.errors import DatabaseUnreachable, blames_request
from shadow_atlas.settings import DatabaseSettings
from tests.shadow_atlas.postgres import free_port
from tests.shadow_atlas.running import TOKEN, api_in_process, api_settings

MADISON = (43.07305, -89.40123)
DENVER = (39.73915, -104.9847)

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(cluster):
    return api_settings(cluster.address)


def run(settings, folder, scenario):
    async def main():
        async with api_in_process(settings, folder) as api:
            return await scenario(api)

    return asyncio.run(main())


def test_earlier_answer_stands_in_with_its_age(settings, cluster, tmp_path):
    async def scenario(api):
        fresh = await api.lookup(*MADISON)
        cluster.stop()
        api.clock.advance(1800)
        return fresh, await api.lookup(*MADISON), api.events("fallback")

    fresh, stale, fallbacks = run(settings, tmp_path, scenario)

    assert stale.status_code == 200
    assert stale.json()["districts"] == fresh.json()["districts"]
    assert stale.json()["source"] == stale.headers["x-atlas-source"] == "stale_cache"
    # The clock stands still but for back-offs of at most 55 ms.
    assert 1800.0 <= stale.json()["age_s"] <= 1800.1
    assert float(stale.headers["x-atlas-age-s"]) == pytest.approx(stale.json()["age_s"], abs=0.001)
    assert [(each["source"], each["error_class"]) for each in fallbacks] == [
        ("stale_cache", "network_error")
    ]


def test_answer_older_than_an_hour_is_not_served(settings, cluster, tmp_path):
    async def scenario(api):
        await api.lookup(*MADISON)
        cluster.stop()
        api.clock.advance(3601)
        return await api.lookup(*MADISON)

    response = run(settings, tmp_path, scenario)

    assert response.status_code == 500
    assert response.json() == {
        "error": {"code": "INTERNAL_ERROR", "message": "the request could not be answered"}
    }


def test_place_outside_the_coverage_is_remembered_too(settings, cluster, tmp_path):
    async def scenario(api):
        await api.lookup(35.0, -45.0)
        cluster.stop()
        return await api.lookup(35.0, -45.0)

    response = run(settings, tmp_path, scenario)

    assert (response.status_code, response.headers["x-atlas-source"]) == (404, "stale_cache")


def test_tenth_failing_lookup_opens_the_circuit_and_the_next_is_refused_unasked(
    settings, cluster, tmp_path
):
    async def scenario(api):
        cluster.stop()
        responses = [await api.lookup(*DENVER) for _ in range(11)]
        health = (await api.client.get("/v1/health")).json()
        return responses, health, api.events("attempt"), api.events("breaker")

    responses, health, attempts, breakers = run(settings, tmp_path, scenario)

    # The tenth failure opens the circuit, so its own answer already says so.
    assert [response.status_code for response in responses] == [500] * 9 + [503] * 2
    assert responses[-1].json()["error"]["code"] == "SERVICE_DEGRADED"
    assert responses[-1].headers["retry-after"] == "30"
    assert responses[-1].headers["x-atlas-rejected-by"] == "breaker"
    assert "x-atlas-rejected-by" not in responses[-2].headers
    assert len(attempts) == 20  # two per call, none for the refused one
    assert [attempt["backoff_s"] > 0 for attempt in attempts] == [False, True] * 10
    assert [(each["name"], each["link"], each["to_state"]) for each in breakers] == [
        ("api-server", "api -> db", "open")
    ]
    assert health["level"] == "critical"
    assert health["breakers"] == {"api-server": "open"}


def test_circuit_closes_after_two_good_lookups_once_the_database_is_back(
    settings, cluster, tmp_path
):
    async def scenario(api):
        cluster.stop()
        for _ in range(10):
            await api.lookup(*DENVER)
        cluster.start()
        api.clock.advance(30)
        responses = [await api.lookup(*DENVER) for _ in range(2)]
        return responses, [each["to_state"] for each in api.events("breaker")]

    responses, states = run(settings, tmp_path, scenario)

    assert [response.status_code for response in responses] == [200, 200]
    assert states == ["open", "half_open", "closed"]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_pool_replaces_the_connections_of_a_restarted_database(cluster, settings, tmp_path, mode):
    async def scenario(api):
        await asyncio.gather(*(api.lookup(*MADISON) for _ in range(30)))
        cluster.stop(mode=mode)
        cluster.start()
        return await asyncio.gather(*(api.lookup(*DENVER) for _ in range(30)))

    responses = run(settings, tmp_path, scenario)

    assert {response.status_code for response in responses} == {200}
    assert {response.headers["x-atlas-source"] for response in responses} == {"primary"}


def test_service_starts_without_its_database_and_meets_it_later(cluster, settings, tmp_path):
    async def scenario(api):
        without = (await api.client.get("/v1/health")).json()
        cluster.start()
        # A real server starts in real time; the bound is below.
        while not (health := (await api.client.get("/v1/health")).json())["ready"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return without, health

    cluster.stop()

    async def bounded(api):
        async with asyncio.timeout(20):
            return await scenario(api)

    without, met = run(settings, tmp_path, bounded)

    assert (without["ready"], without["level"]) == (False, "degraded_minor")
    assert met["ready"]


def test_silent_server_costs_a_lookup_two_attempts_and_no_more(tmp_path):
    async def scenario():
        # Takes connections and never says a word, as behind a black-holed link.
        async with await asyncio.start_server(_say_nothing, "127.0.0.1", 0) as silent:
            port = silent.sockets[0].getsockname()[1]
            settings = api_settings(Address(host="127.0.0.1", port=port))
            lookup = replace(
                settings.lookup, retry=replace(settings.lookup.retry, attempt_timeout_s=0.2)
            )
            async with api_in_process(replace(settings, lookup=lookup), tmp_path) as api:
                response = await api.lookup(*DENVER)
                return response, api.events("attempt")

    response, attempts = asyncio.run(scenario())

    assert response.status_code == 500
    assert [attempt["error_class"] for attempt in attempts] == ["network_timeout"] * 2


def test_crowd_beyond_slots_and_queue_is_turned_away_at_once(settings, tmp_path):
    retry = replace(settings.lookup.retry, attempt_timeout_s=0.3)
    hasty = replace(settings, lookup=replace(settings.lookup, retry=retry))
    fault = {"fault": "timeout"}  # every attempt hangs until its timeout

    async def scenario(api):
        await api.client.post("/chaos/faults", json=fault, headers={"x-atlas-chaos-token": TOKEN})
        return await asyncio.gather(
            *(api.lookup(*DENVER, **{"x-client-id": str(number)}) for number in range(350))
        ), api.events("bulkhead")

    responses, bulkhead = run(hasty, tmp_path, scenario)

    first_decisions = [each["decision"] for each in bulkhead[:350]]
    assert first_decisions == ["admitted"] * 100 + ["queued"] * 200 + ["rejected"] * 50
    refused = [each for each in responses if each.headers.get("x-atlas-rejected-by") == "bulkhead"]
    assert len(refused) >= 50
    assert {(each.status_code, each.headers["retry-after"]) for each in refused} == {(503, "1")}
    assert max(each["active"] for each in bulkhead) == 100
    assert max(each["queued"] for each in bulkhead) == 200


async def _say_nothing(reader, writer):
    try:
        await reader.read()
    finally:
        writer.close()


def test_cancelled_borrowers_leave_the_pool_whole(cluster):
    settings = DatabaseSettings(address=cluster.address, max_connections=3)

    async def slow_query(database):
        async with database.connection() as connection:
            await connection.fetch("SELECT pg_sleep(20)")

    async def scenario():
        database = Database(settings, application_name="test")
        await database.open()
        # Few rounds: the server does not notice a lost client before a statement times out.
        for ticks in (0, 1, 2, 3, 5, 8, 13, 21, 34):
            tasks = [asyncio.ensure_future(slow_query(database)) for _ in range(5)]
            for _ in range(ticks):
                await asyncio.sleep(0.001)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*(_one(database) for _ in range(6)))
        database.close()
        return answers

    assert asyncio.run(scenario()) == [1] * 6


def test_connection_that_broke_while_it_was_lent_is_an_unreachable_database(cluster):
    settings = DatabaseSettings(address=cluster.address, max_connections=2)

    async def scenario():
        database = Database(settings, application_name="test")
        await database.open()
        async with database.connection() as other, database.connection() as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            await other.execute("SELECT pg_terminate_backend($1)", pid)
            async with asyncio.timeout(5):
                while not _was_taken_back(connection):  # noqa: ASYNC110 -- asyncpg tells nobody
                    await asyncio.sleep(0.01)
            await connection.fetchval("SELECT 1")

    with pytest.raises(DatabaseUnreachable):
        asyncio.run(scenario())


def _was_taken_back(connection):
    try:
        connection.is_closed()
    except asyncpg.InterfaceError:
        return True
    return False


async def _one(database):
    async with database.connection() as connection:
        return await connection.fetchval("SELECT 1")


def test_connection_of_a_cut_statement_is_not_used_again(cluster):
    settings = DatabaseSettings(address=cluster.address, max_connections=1)

    async def cut(connection):
        async with asyncio.timeout(0.1):
            await connection.fetchval("SELECT pg_sleep(1.5)")

    first, second = asyncio.run(_pids_around(settings, cut, error=TimeoutError))

    assert first != second


def test_slow_statement_ends_here_or_in_the_server(cluster):
    settings = DatabaseSettings(address=cluster.address, max_connections=1, command_timeout_s=0.1)

    async def sleep(connection):
        await connection.fetchval("SELECT pg_sleep(1.5)")

    # Both bounds are the same, so either side may be the first to notice.
    asyncio.run(_pids_around(settings, sleep, error=(TimeoutError, asyncpg.QueryCanceledError)))


def test_error_of_a_statement_leaves_its_connection_in_the_pool(cluster):
    settings = DatabaseSettings(address=cluster.address, max_connections=1)

    async def fail(connection):
        await connection.fetchval("SELECT 1 FROM nowhere")

    first, second = asyncio.run(_pids_around(settings, fail, error=asyncpg.UndefinedTableError))

    assert first == second


async def _pids_around(settings, act, *, error):
    """Return the backends that serve a pool of one before and after a failing act."""
    database = Database(settings, application_name="test")
    await database.open()
    async with database.connection() as connection:
        first = await connection.fetchval("SELECT pg_backend_pid()")
    with pytest.raises(error):
        async with database.connection() as connection:
            await act(connection)
    async with database.connection() as connection:
        second = await connection.fetchval("SELECT pg_backend_pid()")
    database.close()
    return first, second


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_refused_connection_is_a_connection_error(host):
    settings = DatabaseSettings(address=Address(host=host, port=free_port()))

    async def scenario():
        database = Database(settings, application_name="test")
        await database.open()
        assert not await database.is_reachable()
        async with database.connection():
            pass

    with pytest.raises(DatabaseUnreachable, match=f"{host}:"):
        asyncio.run(scenario())


def test_refusals_do_not_open_the_circuit_of_the_api(cluster):
    breaker = api_settings(cluster.address).lookup.breaker

    assert isinstance(breaker, BreakerConfig)
    assert breaker.excluded_if is blames_request
