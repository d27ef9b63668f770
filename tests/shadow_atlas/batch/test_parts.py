"""Health levels, the memory of good extractions, and the sign that a service stops."""

import asyncio
import contextlib

import pytest
from hypothesis import given, strategies as st

from resilience import DeadlineExceeded, ErrorClass, HealthLevel, RetryExhausted
from shadow_atlas.batch.extraction import Call, Extraction, Source
from shadow_atlas.batch.memory import Memory
from shadow_atlas.batch.orchestrator import failure_class, is_permanent
from shadow_atlas.errors import status_error
from shadow_atlas.events import EventLog
from shadow_atlas.levels import common_level
from shadow_atlas.portal_queries.catalogue import Layer
from shadow_atlas.portal_queries.geojson import Boundaries
from shadow_atlas.stopping import stops_within, watch_for_stop
from tests.shadow_atlas.fake_clock import FakeClock

ORDER = list(HealthLevel)


def _extraction(sha256: str = "a") -> Extraction:
    return Extraction(
        state="WI",
        layer=Layer.COUNTY,
        source=Source.PRIMARY,
        portal="portal_wi",
        boundaries=Boundaries(text="{}", feature_count=1, sha256=sha256),
        attempts=1,
    )


@pytest.mark.parametrize(
    ("open_circuits", "level"),
    [
        (0, HealthLevel.HEALTHY),
        (1, HealthLevel.DEGRADED_MINOR),
        (2, HealthLevel.DEGRADED_MAJOR),
        (3, HealthLevel.DEGRADED_MAJOR),
        (4, HealthLevel.CRITICAL),
    ],
)
def test_the_level_of_seven_endpoints_falls_with_each_open_circuit(open_circuits, level):
    levels = [HealthLevel.CRITICAL] * open_circuits
    levels += [HealthLevel.HEALTHY] * (7 - open_circuits)

    assert common_level(levels) is level


@given(levels=st.lists(st.sampled_from(ORDER), min_size=1, max_size=8), data=st.data())
def test_a_better_endpoint_never_worsens_the_level(levels, data):
    index = data.draw(st.integers(min_value=0, max_value=len(levels) - 1))
    better = [*levels[:index], HealthLevel.HEALTHY, *levels[index + 1 :]]

    assert ORDER.index(common_level(better)) <= ORDER.index(common_level(levels))


class Store:
    """Remembers what it was asked to remember; fails when told to."""

    def __init__(self) -> None:
        self.remembered: list[str] = []
        self.is_away = False

    async def remember(self, extraction: Extraction) -> None:
        if self.is_away:
            raise ConnectionRefusedError
        self.remembered.append(extraction.boundaries.sha256)


def test_equal_boundaries_are_written_once_in_a_while():
    store, clock = Store(), FakeClock()
    memory = Memory(store=store, clock=clock, renewal_s=60.0)

    async def keep_all() -> None:
        for _ in range(3):
            await memory.keep(_extraction("a"))
        await memory.keep(_extraction("b"))
        clock.advance(60.0)
        await memory.keep(_extraction("b"))

    asyncio.run(keep_all())

    assert store.remembered == ["a", "b", "b"]


def test_what_could_not_be_written_is_written_the_next_time():
    store = Store()
    memory = Memory(store=store, clock=FakeClock(), renewal_s=60.0)

    async def keep_twice() -> None:
        store.is_away = True
        await memory.keep(_extraction())
        store.is_away = False
        await memory.keep(_extraction())

    asyncio.run(keep_twice())

    assert store.remembered == ["a"]


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        (RetryExhausted(TimeoutError(), ()), ErrorClass.NETWORK_TIMEOUT),
        (DeadlineExceeded("x", 1.0, None, 1), ErrorClass.NETWORK_TIMEOUT),
        (DeadlineExceeded("x", 1.0, status_error("busy", status=429), 2), ErrorClass.RATE_LIMIT),
        (status_error("broken", status=500), ErrorClass.PERMANENT),
    ],
)
def test_the_class_of_a_failure_is_that_of_the_error_inside(error, error_class):
    assert failure_class(error) is error_class


def test_a_refusal_inside_a_wrapper_is_permanent():
    assert is_permanent(RetryExhausted(status_error("gone", status=410), ()))


def test_attempts_are_numbered_for_each_portal_and_counted_over_all():
    call = Call(call_id="c")

    numbers = [call.next_attempt(portal) for portal in ("wi", "wi", "tiger", "wi")]

    assert numbers == [1, 2, 1, 3]
    assert call.attempts == 4


def test_the_sign_of_a_stop_is_seen_and_nothing_else_is_taken_for_it():
    async def scenario() -> tuple[bool, bool]:
        log = EventLog(service="x", incarnation="1", clock=FakeClock(), buffer_bytes=500)
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(watch_for_stop(log, stopping))
            await asyncio.sleep(0)
            for _ in range(20):  # more than a view holds: it is dropped, and has to be reopened
                log.emit("request", path='"stopping"')
            await _turns(10)
            before = stopping.is_set()
            log.emit("process", what="stopping", pid=1)
            log.end_views()
            async with asyncio.timeout(5):
                await stopping.wait()
        return before, stopping.is_set()

    assert asyncio.run(scenario()) == (False, True)


def test_a_stop_is_seen_although_its_record_was_dropped_with_the_view():
    async def scenario() -> None:
        log = EventLog(service="x", incarnation="1", clock=FakeClock(), buffer_bytes=500)
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(watch_for_stop(log, stopping))
            await asyncio.sleep(0)
            log.emit("process", what="stopping", pid=1)
            for _ in range(20):
                log.emit("request", path="/")
            log.end_views()
            async with asyncio.timeout(5):
                await stopping.wait()

    asyncio.run(scenario())


def test_a_pause_ends_early_when_the_service_stops():
    async def scenario() -> tuple[bool, bool]:
        stopping = asyncio.Event()
        slept = await stops_within(stopping, 0.01)
        stopping.set()
        return slept, await stops_within(stopping, 60.0)

    assert asyncio.run(scenario()) == (False, True)


def test_a_watch_can_be_cancelled():
    async def scenario() -> None:
        log = EventLog(service="x", incarnation="1", clock=FakeClock())
        watch = asyncio.ensure_future(watch_for_stop(log, asyncio.Event()))
        await _turns(3)
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        assert watch.cancelled()

    asyncio.run(scenario())


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
