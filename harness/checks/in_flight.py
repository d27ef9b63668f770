"""How many requests were in flight at once."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When one request was in flight."""

    start_ns: int
    end_ns: int


def peak(spans: Iterable[Span]) -> tuple[int, int]:
    """Return the largest number at once and when it was first reached; (0, 0) without any.

    One that ends in the instant in which another starts makes room for it.
    """
    steps = [step for s in spans for step in ((s.start_ns, 1), (s.end_ns, -1))]
    steps.sort()  # at one instant the ends come first
    now = most = at_ns = 0
    for t_ns, step in steps:
        now += step
        if now > most:
            most, at_ns = now, t_ns
    return most, at_ns
