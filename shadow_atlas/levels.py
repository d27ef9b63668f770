"""Say how well the service is, from how well each of its stacks is."""

from collections.abc import Iterable

from resilience import HealthLevel
from shadow_atlas.protection import Stack

_CAPACITY = {
    HealthLevel.HEALTHY: 1.0,
    HealthLevel.DEGRADED_MINOR: 1.0,
    HealthLevel.DEGRADED_MAJOR: 0.5,
    HealthLevel.CRITICAL: 0.0,
}
_ORDER = tuple(HealthLevel)  # declared from best to worst


def service_level(*, gates: Iterable[Stack], endpoints: Iterable[Stack]) -> HealthLevel:
    """Return the level of a service that needs every gate, and some of its endpoints.

    Every call passes the gates, so the worst of them counts in full. Endpoints stand side by
    side: what counts is how much of them is left, by the thresholds that the layer itself uses
    for several circuits (half, and four fifths).

    Args:
        gates: The stacks that every call needs, such as an orchestrator and its job store.
        endpoints: The stacks of which one is enough, such as those of portals or gateways.
    """
    levels = [stack.health() for stack in gates]
    levels.append(common_level([stack.health() for stack in endpoints]))
    return max(levels, key=_ORDER.index)


def common_level(levels: list[HealthLevel]) -> HealthLevel:
    """Return the level of things that stand side by side.

    >>> closed, open_ = HealthLevel.HEALTHY, HealthLevel.CRITICAL
    >>> common_level([closed] * 6 + [open_]).value
    'degraded_minor'
    """
    capacity = sum(_CAPACITY[level] for level in levels) / len(levels)
    if capacity < 0.5:  # noqa: PLR2004 - see the layer's own `health_of`
        return HealthLevel.CRITICAL
    if capacity <= 0.8:  # noqa: PLR2004 - likewise
        return HealthLevel.DEGRADED_MAJOR
    if all(level is HealthLevel.HEALTHY for level in levels):
        return HealthLevel.HEALTHY
    return HealthLevel.DEGRADED_MINOR
