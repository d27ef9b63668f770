"""Scale time: multiply every duration and divide every rate, so that counts stay the same."""

from dataclasses import replace

from harness.model.alerting import Alerting
from harness.model.fields import scale_fields
from harness.model.scenario import Load, Scenario, TimelineEntry


def scaled(scenario: Scenario, time_scale: float) -> Scenario:
    """Return the scenario with all durations times `time_scale` and all rates divided by it.

    Latency limits, tolerances and the client's patience stay real: they are about people and
    machines, whose speed does not change.

    Raises:
        ValueError: If `time_scale` is not in (0, 1], or the scenario was scaled before.
    """
    if not 0.0 < time_scale <= 1.0:
        raise ValueError(f"time_scale={time_scale!r} must be in (0, 1]")
    if scenario.time_scale != 1.0:
        raise ValueError(f"{scenario.name} was scaled by {scenario.time_scale} before")
    settle = scenario.settle
    return replace(
        scenario,
        loads=tuple(_load(load, time_scale) for load in scenario.loads),
        probes=tuple(replace(p, every_s=p.every_s * time_scale) for p in scenario.probes),
        alerts=_alerts(scenario.alerts, time_scale),
        baseline_s=scenario.baseline_s * time_scale,
        timeline=tuple(_entry(entry, time_scale) for entry in scenario.timeline),
        settle=replace(
            settle, at_most_s=settle.at_most_s * time_scale, hold_s=settle.hold_s * time_scale
        ),
        checks=tuple(scale_fields(check, time_scale) for check in scenario.checks),
        time_scale=time_scale,
    )


def _alerts(alerts: Alerting | None, time_scale: float) -> Alerting | None:
    return None if alerts is None else replace(alerts, every_s=alerts.every_s * time_scale)


def _load(load: Load, time_scale: float) -> Load:
    duration_s = load.duration_s
    return replace(
        load,
        rate_per_s=load.rate_per_s / time_scale,
        start_s=load.start_s * time_scale,
        duration_s=None if duration_s is None else duration_s * time_scale,
    )


def _entry(entry: TimelineEntry, time_scale: float) -> TimelineEntry:
    return TimelineEntry(
        at_s=entry.at_s * time_scale,
        duration_s=entry.duration_s * time_scale,
        fault=scale_fields(entry.fault, time_scale),
    )
