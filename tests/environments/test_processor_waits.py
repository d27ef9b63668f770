"""What a service waits for a processor is seen from outside, and only then."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from harness.clock import SystemClock
from harness.environments import processor_waits
from harness.environments.processor_waits import recording_waits

pytestmark = pytest.mark.slow

SPIN = "while True: pass"


@dataclass
class Spinning:
    """A process that wants a processor all the time, like a service that is never done."""

    pid: int
    is_running: bool = True


@pytest.fixture
def spinning():
    """Start processes on one and the same processor."""
    processor = min(os.sched_getaffinity(0))
    started = []

    def start(count: int) -> list[Spinning]:
        for _ in range(count):
            process = subprocess.Popen([sys.executable, "-c", SPIN])
            started.append(process)
            os.sched_setaffinity(process.pid, {processor})
        return [Spinning(pid=process.pid) for process in started]

    yield start
    for process in started:
        process.kill()
        process.wait()


def waits_of(services) -> list:
    async def watched():
        found, clock = [], SystemClock()
        async with recording_waits(services, record=found.append, clock=clock):
            for _ in range(100):
                if found:
                    break
                await clock.sleep(0.05)
        return found

    return asyncio.run(watched())


def test_three_processes_on_one_processor_wait_for_most_of_the_time(spinning):
    first, *_ = spinning(3)

    wait = waits_of({"busy": first})[0]

    assert wait.service == "busy"
    assert 0.3 < wait.waited_ns / wait.interval_ns <= 1.05  # two thirds, but others run here too


def test_a_service_that_rests_or_is_gone_waits_for_nothing():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as resting:
        services = {
            "resting": Spinning(pid=resting.pid),
            "stopped": Spinning(pid=resting.pid, is_running=False),
            "gone": Spinning(pid=2**22 + 1),
        }
        try:
            found = waits_of(services)
        finally:
            resting.kill()

    assert found == []


def test_a_wait_is_no_longer_than_the_time_that_was_looked_at(monkeypatch):
    totals = iter([0, *[20_000_000_000] * 100])
    monkeypatch.setattr(processor_waits, "_totals", lambda _: [("db", 1, next(totals))])

    [wait] = waits_of({})

    assert wait.waited_ns == wait.interval_ns < 20_000_000_000
