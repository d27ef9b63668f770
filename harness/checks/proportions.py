"""Decide whether a share of operations meets a bound: surely not, surely, or undecided."""

import math
from dataclasses import dataclass

from harness.checks.statistics import lower_bound, reject_low, tail_high
from harness.model.verdict import Verdict

FALSE_ALARM = 1e-6  # per check: a thousand checks alarm falsely in at most 0.1 % of suites
MISS = 1e-3  # a service that is worse than the bound by the margin passes this often at most
MARGIN_RATIO = 0.10  # what a minute at a few operations per second can tell apart
SAMPLES_MIN = 20  # with fewer, one lost packet decides about the run
_ROUNDING = 1e-9  # 0.99 * 100 is not 99 in binary


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a count of good ones among all says about a bound.

    Args:
        verdict: PASSED, FAILED or INCONCLUSIVE.
        reason: Why it is not PASSED; empty if it is.
        needed: Fewest operations with which the bound could have been met.
    """

    verdict: Verdict
    reason: str
    needed: int


def decide_at_least(
    good: int,
    total: int,
    *,
    bound: float,
    samples: int = SAMPLES_MIN,
    margin: float = MARGIN_RATIO,
) -> Decision:
    """Decide whether the true share behind `good` of `total` is at least `bound`.

    FAILED: a service that just meets the bound shows so few good ones in at most one of a
    million runs. PASSED: the share seen meets the bound, and a service that is worse than the
    bound by `margin` shows as many in at most one of a thousand runs. Anything else is
    INCONCLUSIVE. A lower bound, or one more good operation, never makes it worse.

    Args:
        good: How many were good.
        total: Out of how many.
        bound: Least share, in [0, 1].
        samples: With fewer than this nothing is decided.
        margin: How far below the bound a service may hide.
    """
    weak = bound - margin
    needed = samples if weak <= 0.0 else max(samples, math.ceil(math.log(MISS) / math.log(weak)))
    if total < samples:
        return _undecided(f"only {total} of the {needed} samples that it needs", needed)
    if good <= reject_low(total, bound, FALSE_ALARM):
        reason = f"chance explains that in less than {FALSE_ALARM:g} of runs"
        return Decision(verdict=Verdict.FAILED, reason=reason, needed=needed)
    if good < bound * total - _ROUNDING:
        return _undecided(f"below the bound, but {total} samples may show that by chance", needed)
    if weak > 0.0 and tail_high(good, total, weak) > MISS:
        seen = lower_bound(good, total, MISS)
        reason = f"{total} samples rule out only a true share below {seen:.1%}, not {weak:.1%}"
        return _undecided(reason, max(needed, total + 1))
    return Decision(verdict=Verdict.PASSED, reason="", needed=needed)


def decide_at_most(hits: int, total: int, *, bound: float, samples: int = SAMPLES_MIN) -> Decision:
    """Decide whether the true share behind `hits` of `total` is at most `bound`."""
    return decide_at_least(total - hits, total, bound=1.0 - bound, samples=samples)


def _undecided(reason: str, needed: int) -> Decision:
    return Decision(verdict=Verdict.INCONCLUSIVE, reason=reason, needed=needed)
