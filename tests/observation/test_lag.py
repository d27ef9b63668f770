"""The harness measures how late it is itself, and runs its observers beside the run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.model.records import LagSample, Record
from harness.observation import sample_lag
from harness.observation.background import beside
from tests.observation.fake_clock import FakeClock


def samples(*oversleeps_s: float) -> list[Record]:
    async def main() -> list[Record]:
        found: list[Record] = []
        clock = FakeClock(start_ns=100, oversleeps_s=oversleeps_s)
        async with sample_lag(found.append, clock=clock, t0_ns=100):
            for _ in range(len(oversleeps_s) + 2):
                await asyncio.sleep(0)
        return found

    return asyncio.run(main())


def test_tick_in_time_leaves_no_sample():
    assert samples(0.0, 0.004, 0.01) == []


def test_late_tick_is_a_sample_of_how_late_it_was():
    assert samples(0.0, 0.05) == [LagSample(t_ns=90_000_000, service="harness", lag_ns=50_000_000)]


def test_lateness_does_not_add_up_over_ticks():
    assert samples(0.008, 0.008, 0.008) == []


async def _forever() -> None:
    await asyncio.Event().wait()


def test_observers_end_with_the_context():
    async def main() -> int:
        before = len(asyncio.all_tasks())
        async with beside(_forever(), _forever()):
            pass
        return len(asyncio.all_tasks()) - before

    assert asyncio.run(main()) == 0


def test_error_of_the_body_stays_as_it_is():
    async def main() -> None:
        async with beside(_forever()):
            raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        asyncio.run(main())


def test_failure_of_an_observer_is_raised_at_the_end():
    async def fail() -> None:
        raise ValueError("an observer broke")

    async def main() -> None:
        async with beside(_forever(), fail()):
            await asyncio.sleep(0)

    with pytest.raises(ValueError, match="an observer broke"):
        asyncio.run(main())


def test_cancelling_the_body_cancels_the_observers():
    @asynccontextmanager
    async def noted(ends: list[str]) -> AsyncIterator[None]:
        async with beside(_forever()):
            yield
        ends.append("left without an error")

    async def main() -> tuple[list[str], int]:
        ends: list[str] = []
        before = len(asyncio.all_tasks())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), noted(ends):
                await _forever()
        return ends, len(asyncio.all_tasks()) - before

    assert asyncio.run(main()) == ([], 0)
