"""What the layer announces becomes the records that the harness reads."""

import asyncio
import json
import random

import pytest

from resilience import (
    BreakerConfig,
    BulkheadConfig,
    ChaosFaultInjector,
    Event,
    EventKind,
    FallbackConfig,
    LimiterConfig,
    RateLimiter,
    RetryConfig,
    ServeStale,
    StackConfig,
    create_stack,
)
from shadow_atlas.errors import classify, status_error
from shadow_atlas.events import EventLog
from shadow_atlas.layer_events import LayerEvents
from tests.shadow_atlas.fake_clock import FakeClock

CONFIG = StackConfig(
    name="portal",
    breaker=BreakerConfig(failure_threshold=1, open_duration_s=60.0),
    retry=RetryConfig(max_attempts=2, initial_delay_s=0.5, jitter=0.0, total_timeout_s=None),
    bulkhead=BulkheadConfig(max_concurrent=1, max_queue=0),
    fallback=FallbackConfig(strategies=(ServeStale(),)),
)


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log = EventLog(service="batch", incarnation="1", clock=self.clock)
        self.view = self.log.follow()
        self.listener = LayerEvents(self.log, links={"portal": "batch -> portal_wi"})
        self.stack = create_stack(
            CONFIG,
            clock=self.clock,
            rng=random.Random(1),
            classifier=classify,
            listener=self.listener,
        )

    async def call(self, *results, **options):
        remaining = list(results)

        async def attempt(attempt):
            result = remaining.pop(0)
            if isinstance(result, Exception):
                status = getattr(result, "status", None)
                if status is not None:
                    self.listener.note_status(
                        call_id=attempt.call_id, attempt=attempt.number, status=status
                    )
                raise result
            return result

        return await self.stack.call_detailed(
            attempt, operation="fetch", call_id="c-1", cache_key="k", **options
        )

    def records(self, kind):
        async def read():
            self.log.end_views()
            return [json.loads(line) async for line in self.view.lines()]

        envelope = {"t_ns", "seq", "service", "incarnation", "kind"}
        return [
            {name: value for name, value in record.items() if name not in envelope}
            for record in asyncio.run(read())
            if record["kind"] == kind
        ]


def test_attempt_record_has_link_times_class_and_status():
    bench = Bench()

    asyncio.run(bench.call(status_error("", status=503), "fine"))

    assert bench.records("attempt") == [
        {
            "link": "batch -> portal_wi",
            "call_id": "c-1",
            "attempt": 1,
            "started_ns": 1_000_000_000_000,
            "outcome": "failed",
            "error_class": "service_unavailable",
            "status": 503,
            "backoff_s": 0.0,
        },
        {
            "link": "batch -> portal_wi",
            "call_id": "c-1",
            "attempt": 2,
            "started_ns": 1_000_500_000_000,
            "outcome": "ok",
            "error_class": None,
            "status": None,
            "backoff_s": 0.5,
        },
    ]


async def outage(bench):
    await bench.call("fine")
    bench.clock.advance(10)
    return await bench.call(TimeoutError(), TimeoutError())


def test_breaker_record_names_its_link_and_one_transition_gives_one_record():
    bench = Bench()
    generation = bench.stack.breaker.snapshot().generation

    asyncio.run(outage(bench))

    assert bench.records("breaker") == [
        {
            "name": "portal",
            "link": "batch -> portal_wi",
            "from_state": "closed",
            "to_state": "open",
            "generation": generation + 1,
            "reason": "failure_threshold",
        }
    ]


def test_exhaustion_record_counts_the_attempts():
    bench = Bench()

    asyncio.run(outage(bench))

    assert bench.records("retry_exhausted") == [
        {"operation": "fetch", "call_id": "c-1", "attempts": 2, "error_class": "network_timeout"}
    ]


def test_fallback_record_tells_source_and_age():
    bench = Bench()

    result = asyncio.run(outage(bench))

    assert result.value == "fine"
    assert bench.records("fallback") == [
        {
            "name": "portal",
            "call_id": "c-1",
            "source": "stale_cache",
            "age_s": 10.5,  # the pause between the two attempts included
            "error_class": "network_timeout",
        }
    ]


def test_bulkhead_records_every_decision_with_its_numbers():
    bench = Bench()

    asyncio.run(bench.call("fine"))

    assert bench.records("bulkhead") == [
        {"name": "portal", "decision": "admitted", "active": 1, "queued": 0,
         "max_concurrent": 1, "max_queue": 0},
        {"name": "portal", "decision": "released", "active": 0, "queued": 0,
         "max_concurrent": 1, "max_queue": 0},
    ]  # fmt: skip


def test_limiter_records_both_decisions():
    bench = Bench()
    limiter = RateLimiter(
        "clients",
        LimiterConfig(capacity=1.0, refill_rate_per_s=0.5, burst=None),
        clock=bench.clock,
        listener=bench.listener,
    )

    limiter.try_acquire("me")
    limiter.try_acquire("me")

    records = bench.records("limiter")
    assert [(each["client"], each["decision"]) for each in records] == [
        ("me", "allowed"),
        ("me", "rejected"),
    ]
    assert records[1]["retry_after_s"] == pytest.approx(2.0)


def test_injected_fault_is_recorded_with_the_call_it_acted_on():
    bench = Bench()
    injector = ChaosFaultInjector(
        enabled=True, rng=random.Random(1), clock=bench.clock, listener=bench.listener
    )
    injector.configure("network_delay", delay_s=1.0)

    async def work():
        return 1

    asyncio.run(injector.run(work, key="c-9"))

    assert bench.records("chaos") == [{"fault": "network_delay", "call_id": "c-9"}]


def test_kinds_without_a_record_are_left_out():
    bench = Bench()

    bench.listener(Event(kind=EventKind.UPSTREAM_FAILED, component="portal", time_s=0.0))

    assert bench.records("breaker") == []


def test_noted_statuses_are_bounded():
    bench = Bench()

    for number in range(3000):
        bench.listener.note_status(call_id=f"c-{number}", attempt=1, status=200)

    assert len(bench.listener._statuses) == 1000
    assert ("c-2999", 1) in bench.listener._statuses
