"""How long to wait before the next attempt."""

import random

from resilience.configuration import RetryConfig


def backoff_s(
    config: RetryConfig, attempts: int, rng: random.Random, *, floor_s: float | None = None
) -> float:
    """Return the pause after the failed attempt number `attempts`, seconds.

    The exponential back-off is spread by the jitter and then clamped to `max_delay_s`. A floor
    (the upstream's Retry-After) is spread upwards only and is not clamped: an upstream that asks
    for silence gets it. One number is drawn per pause, with and without a floor.

    Source: the equal spread around min(cap, base * 2^n) is the one of the AWS Architecture Blog,
    "Exponential Backoff And Jitter" (2015), with the clamp moved behind the spread.

    >>> backoff_s(RetryConfig(jitter=0.0), 3, random.Random(1))
    0.4
    """
    draw = rng.random()
    try:
        plain_s = config.initial_delay_s * config.multiplier ** (attempts - 1)
    except OverflowError:  # float range left after a thousand doublings
        plain_s = config.max_delay_s if config.initial_delay_s else 0.0
    spread_s = min(plain_s, config.max_delay_s) * (1.0 + config.jitter * (2.0 * draw - 1.0))
    delay_s = min(max(spread_s, 0.0), config.max_delay_s)
    if floor_s is None:
        return delay_s
    return max(delay_s, floor_s * (1.0 + config.jitter * draw))
