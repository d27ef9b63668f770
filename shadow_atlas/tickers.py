"""Record the clocks once a second, and each time the event loop was late."""

from typing import Final

from shadow_atlas.clock import Clock
from shadow_atlas.events import EventLog, EventSink

CLOCK_PERIOD_S: Final = 1.0
LAG_PERIOD_S: Final = 0.05  # 20 ms took 1.2 % of a core in each of ten idle services; this 0.4 %
LAG_REPORTED_S: Final = 0.010  # below it lies the usual lateness of a timer on a busy host


async def tick_clock(log: EventLog, *, clock: Clock) -> None:
    """Record a clock pair each second, until cancelled."""
    while True:
        await clock.sleep(CLOCK_PERIOD_S)
        log.emit_clock()


async def watch_lag(sink: EventSink, *, clock: Clock) -> None:
    """Record how late a 50 ms timer was whenever it is over 10 ms, until cancelled."""
    due_s = clock.monotonic()
    while True:
        due_s = max(due_s, clock.monotonic()) + LAG_PERIOD_S
        await clock.sleep(due_s - clock.monotonic())
        lag_s = clock.monotonic() - due_s
        if lag_s > LAG_REPORTED_S:
            sink.emit("lag", lag_ns=round(lag_s * 1e9))
