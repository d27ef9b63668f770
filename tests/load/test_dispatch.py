"""Alarms and the dispatcher: early never, late as it must be, all of them, in order."""

import asyncio
import sys
from collections.abc import Callable

import pytest

from harness.clock import SystemClock
from harness.load.alarm import Alarm, LoopAlarm, TimerfdAlarm, open_alarm
from harness.load.dispatch import Dispatcher
from harness.load.lateness import Lateness
from harness.load.schedule import Arrival
from harness.model.records import NS_PER_S
from tests.load.fake_clock import FakeClock
from tests.load.plans import arrival

OpenAlarm = Callable[[Callable[[], None]], Alarm]

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")
ALARMS = [
    pytest.param(LoopAlarm, id="loop"),
    pytest.param(TimerfdAlarm, id="timerfd", marks=only_linux),
]


@pytest.mark.parametrize("make_alarm", ALARMS)
@pytest.mark.parametrize("ahead_s", [-1.0, 0.0, 0.02])
def test_alarm_wakes_once_and_never_early(make_alarm: OpenAlarm, ahead_s: float):
    async def main() -> tuple[int, int, int]:
        clock = SystemClock()
        woken_ns: list[int] = []
        alarm = make_alarm(lambda: woken_ns.append(clock.now_ns()))
        at_ns = clock.now_ns() + round(ahead_s * NS_PER_S)
        alarm.arm(at_ns)
        await asyncio.sleep(max(0.0, ahead_s) + 0.02)
        alarm.close()
        return len(woken_ns), woken_ns[0], at_ns

    times, woken_ns, at_ns = asyncio.run(main())

    assert times == 1
    assert woken_ns >= at_ns - 1_000_000 * (make_alarm is LoopAlarm)  # asyncio's clock resolution


@pytest.mark.parametrize("make_alarm", ALARMS)
def test_alarm_that_is_armed_anew_forgets_the_time_before(make_alarm: OpenAlarm):
    async def main() -> int:
        clock = SystemClock()
        woken: list[bool] = []
        alarm = make_alarm(lambda: woken.append(True))
        alarm.arm(clock.now_ns() + 5_000_000)
        alarm.arm(clock.now_ns() + 3600 * NS_PER_S)
        await asyncio.sleep(0.02)
        alarm.close()
        return len(woken)

    assert asyncio.run(main()) == 0


@pytest.mark.parametrize("make_alarm", ALARMS)
def test_closed_alarm_wakes_nobody_and_closes_again(make_alarm: OpenAlarm):
    async def main() -> int:
        woken: list[bool] = []
        alarm = make_alarm(lambda: woken.append(True))
        alarm.arm(SystemClock().now_ns() + 5_000_000)
        alarm.close()
        alarm.close()
        await asyncio.sleep(0.02)
        return len(woken)

    assert asyncio.run(main()) == 0


@only_linux
def test_linux_gets_the_exact_alarm():
    async def main() -> bool:
        alarm = open_alarm(lambda: None)
        alarm.close()
        return isinstance(alarm, TimerfdAlarm)

    assert asyncio.run(main())


class HandAlarm:
    """An alarm that the test wakes by hand."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.wake = callback
        self.armed_ns: int | None = None

    def arm(self, at_ns: int) -> None:
        self.armed_ns = at_ns

    def close(self) -> None:
        self.armed_ns = None


class Desk:
    """A dispatcher with everything around it in the test's hands."""

    def __init__(self, *at_s: float, t0_s: float = 0.0) -> None:
        self.clock = FakeClock()
        self.given: list[Arrival] = []
        self.alarms: list[HandAlarm] = []
        arrivals = [arrival(n, at_ns=round(at * NS_PER_S)) for n, at in enumerate(at_s)]
        self.dispatcher = Dispatcher(
            arrivals,
            t0_ns=round(t0_s * NS_PER_S),
            clock=self.clock,
            dispatch=self.given.append,
            open_alarm=self._open,
        )

    def _open(self, callback: Callable[[], None]) -> HandAlarm:
        self.alarms.append(HandAlarm(callback))
        return self.alarms[-1]

    def wake_at(self, at_s: float) -> int:
        self.clock.move(at_s - self.clock.now_ns() / NS_PER_S)
        self.alarms[0].wake()
        return len(self.given)


def test_dispatcher_gives_out_what_is_due_and_arms_for_the_next():
    async def main() -> tuple[int | None, int, int | None, int]:
        desk = Desk(0.5, 1.0, t0_s=10.0)
        running = asyncio.create_task(desk.dispatcher.run())
        await asyncio.sleep(0)
        first_ns = desk.alarms[0].armed_ns
        given = desk.wake_at(10.5)
        second_ns = desk.alarms[0].armed_ns
        desk.wake_at(11.0)
        await running
        return first_ns, given, second_ns, desk.dispatcher.offered

    assert asyncio.run(main()) == (10_500_000_000, 1, 11_000_000_000, 2)


def test_dispatcher_that_slept_too_long_gives_out_all_that_it_missed():
    async def main() -> int:
        desk = Desk(0.1, 0.2, 0.3, 9.0)
        running = asyncio.create_task(desk.dispatcher.run())
        await asyncio.sleep(0)
        given = desk.wake_at(5.0)
        desk.dispatcher.stop()
        await running
        return given

    assert asyncio.run(main()) == 3


def test_stopped_dispatcher_offers_nothing_more():
    async def main() -> int:
        desk = Desk(0.1, 0.2)
        running = asyncio.create_task(desk.dispatcher.run())
        await asyncio.sleep(0)
        desk.wake_at(0.1)
        desk.dispatcher.stop()
        desk.wake_at(0.3)
        await running
        return desk.dispatcher.offered

    assert asyncio.run(main()) == 1


def test_dispatcher_without_arrivals_is_over_at_once():
    async def main() -> int:
        desk = Desk()
        await desk.dispatcher.run()
        return desk.dispatcher.offered

    assert asyncio.run(main()) == 0


def test_lateness_is_told_by_its_quantiles_and_its_late_ones():
    lateness = Lateness()
    for late_ms in range(1, 101):
        lateness.add(intended_ns=0, started_ns=late_ms * 1_000_000)

    note = lateness.note(planned=200, offered=150)

    assert (note.planned, note.offered, note.ended, note.late) == (200, 150, 100, 50)
    assert (note.lateness_p50_s, note.lateness_p99_s, note.lateness_max_s) == (0.05, 0.099, 0.1)


def test_lateness_of_nothing_is_zero():
    assert Lateness().note(planned=0, offered=0).lateness_max_s == 0.0
