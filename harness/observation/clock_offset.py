"""Put the clock of another host on ours, with the uncertainty that the network leaves; pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """One reading of a foreign clock that reached us.

    Args:
        asked_ns: Our time at which it was asked for, so not read before; None if unknown.
        foreign_ns: The foreign time that was read.
        received_ns: Our time at which it arrived, so not read after.
    """

    asked_ns: int | None
    foreign_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """What to add to foreign times to have ours, give or take the uncertainty."""

    offset_ns: int
    uncertainty_ns: int


def estimate_offset(readings: Sequence[ClockReading]) -> ClockOffset:
    """Return the offset that all readings allow: the middle of what they leave, and its half-width.

    A reading was taken after it was asked for and before it arrived (Cristian, Distributed
    Computing 3 (1989) 146). If they allow 0, it is our own clock: processes and containers of a
    host share CLOCK_MONOTONIC, and two hosts that booted within the same few milliseconds do not
    happen. If they contradict each other, an old reading was sent as a fresh one: then only the
    arrivals count, and the contradiction is the uncertainty.

    >>> estimate_offset([ClockReading(asked_ns=1_000, foreign_ns=51_000, received_ns=1_200)])
    ClockOffset(offset_ns=-49900, uncertainty_ns=100)

    Raises:
        ValueError: If no reading has `asked_ns`: half of the interval is then open.
    """
    asked = [r.asked_ns - r.foreign_ns for r in readings if r.asked_ns is not None]
    if not asked:
        raise ValueError("expected a reading that was asked for, got none")
    lowest_ns = max(asked)
    highest_ns = min(reading.received_ns - reading.foreign_ns for reading in readings)
    if lowest_ns > highest_ns:
        return ClockOffset(offset_ns=highest_ns, uncertainty_ns=lowest_ns - highest_ns)
    if lowest_ns <= 0 <= highest_ns:
        return ClockOffset(offset_ns=0, uncertainty_ns=0)
    middle_ns = (lowest_ns + highest_ns) // 2
    return ClockOffset(offset_ns=middle_ns, uncertainty_ns=highest_ns - middle_ns)
