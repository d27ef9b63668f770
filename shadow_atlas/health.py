"""Tell how a service is: its level, its circuits, and whether it has met its database."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from resilience import HealthLevel, Sample
from shadow_atlas.service_settings import ServiceSettings

_STATES: Final[Mapping[float, str]] = {0.0: "closed", 1.0: "open", 2.0: "half_open"}


def health_body(
    service: ServiceSettings, *, level: HealthLevel, samples: Iterable[Sample], is_ready: bool
) -> dict[str, Any]:
    """Write the body of `/v1/health`.

    The states come from the metrics, which any replacement of the layer has to offer anyway.

    Args:
        service: Who answers.
        level: How well its stacks are.
        samples: Their metrics.
        is_ready: Whether the upstream that it cannot do without was reached at least once.
    """
    return {
        "service": service.name,
        "incarnation": service.incarnation,
        "level": level.value if is_ready else at_least_degraded(level).value,
        "ready": is_ready,
        "breakers": breaker_states(samples),
    }


def breaker_states(samples: Iterable[Sample]) -> dict[str, str]:
    """Return the state of each circuit by the name of its breaker."""
    return {
        dict(sample.labels).get("name", ""): _STATES.get(sample.value, "unknown")
        for sample in samples
        if sample.name == "circuit_breaker_state"
    }


def at_least_degraded(level: HealthLevel) -> HealthLevel:
    """Return `level`, or the next one: what lacks something minor is not quite well.

    A service that never met its database has no failures to show; one that cannot refresh its
    boundaries answers with old ones.
    """
    return HealthLevel.DEGRADED_MINOR if level is HealthLevel.HEALTHY else level
