"""The parts of a service process that can be tested without one."""

import asyncio
import json
import socket

import pytest

from shadow_atlas.dotted_paths import load
from shadow_atlas.environment import ConfigurationError
from shadow_atlas.events import EventLog
from shadow_atlas.listening import listen
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.serving import open_event_log, service_rng
from shadow_atlas.tickers import tick_clock, watch_lag
from tests.shadow_atlas.fake_clock import FakeClock


class CountingClock(FakeClock):
    """Wakes sleepers `late_s` late, and cancels them after some sleeps."""

    def __init__(self, *, late_s: float, sleeps: int) -> None:
        super().__init__()
        self._late_s = late_s
        self._sleeps_left = sleeps

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds + self._late_s)
        self._sleeps_left -= 1
        if self._sleeps_left < 0:
            raise asyncio.CancelledError


def records_of(clock, run):
    log = EventLog(service="api", incarnation="1", clock=clock)

    async def main():
        view = log.follow()
        with pytest.raises(asyncio.CancelledError):
            await run(log, clock=clock)
        log.end_views()
        return [json.loads(line) async for line in view.lines()]

    return asyncio.run(main())[1:]


def test_lag_of_more_than_ten_milliseconds_is_recorded():
    records = records_of(CountingClock(late_s=0.012, sleeps=3), watch_lag)

    assert [record["kind"] for record in records] == ["lag"] * 3
    assert records[0]["lag_ns"] == pytest.approx(12e6)


def test_usual_lateness_of_a_timer_is_not_recorded():
    assert records_of(CountingClock(late_s=0.009, sleeps=50), watch_lag) == []


def test_clock_pair_is_recorded_each_second():
    records = records_of(CountingClock(late_s=0.0, sleeps=3), tick_clock)

    assert [record["wall_unix_ns"] // 10**9 for record in records] == [
        1_700_000_001,
        1_700_000_002,
        1_700_000_003,
    ]


def test_accepted_connections_have_nagle_switched_off():
    async def main():
        loop = asyncio.get_running_loop()
        accepted = loop.create_future()

        async def on_connect(reader, writer):
            accepted.set_result(
                writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            )
            writer.close()
            del reader

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(on_connect, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            value = await asyncio.wait_for(accepted, timeout=5)
            writer.close()
            return value

    assert asyncio.run(main()) != 0


def test_port_in_use_is_an_error_and_leaks_no_socket():
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])


def test_incarnations_draw_different_numbers_and_replays_the_same():
    def draw(incarnation, seed=1):
        service = ServiceSettings(
            name="api", host="127.0.0.1", port=1, app="a:b", incarnation=incarnation, seed=seed
        )
        return service_rng(service).random()

    assert draw("1") == draw("1")
    assert len({draw("1"), draw("2"), draw("1", seed=2)}) == 3


def test_event_file_is_named_for_service_and_incarnation(tmp_path):
    service = ServiceSettings(
        name="api", host="127.0.0.1", port=1, app="a:b", incarnation="7", event_dir=tmp_path / "e"
    )

    open_event_log(service, clock=FakeClock()).close()

    assert [path.name for path in (tmp_path / "e").iterdir()] == ["api.7.ndjson"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.at.all:x", "ATLAS_APP: cannot import module 'nowhere.at.all'"),
        ("json:x.y", "ATLAS_APP: module 'json' has no 'x.y'"),
        ("json:__doc__", "ATLAS_APP: 'json:__doc__' is not callable"),
    ],
)
def test_path_that_leads_nowhere_is_named_with_its_variable(path, message):
    with pytest.raises(ConfigurationError, match=message):
        load(path, variable="ATLAS_APP")
