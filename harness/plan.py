"""Resolve a scenario against a time scale and an environment, and refuse what means nothing.

Everything that can be known before a process is started is refused here, with the reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import ceil

from harness.model.errors import PlanRefused
from harness.model.fault import Capability
from harness.model.run import Environment
from harness.model.scaling import scaled
from harness.model.scenario import Load, Scenario, TimelineEntry
from harness.model.system import Breaker, Link

OPEN_AT_LEAST_S = 0.5  # below, a tolerance of 50 ms is more than 10 % of a breaker's open time
LOOKS_AT_MOST_PER_S = 5.0  # above, scrapes and evaluations take what the services need
DELAY_AT_LEAST_S = 0.05  # below, an injected delay drowns in the scheduling noise of two cores
RATE_AT_MOST_PER_S = 1000.0  # above, the client leaves too little of two cores for the services
SKEW_AT_LEAST_S = 10.0  # below, it is hard to tell by the date of an answer, in whole seconds
# Of each of these groups a service bears one fault at a time: one needs the process that another
# ends or freezes, and of two alike the second would take the work of the first for its own normal.
_ONE_AT_A_TIME = (
    frozenset(
        {"kill", "stop", "pause", "restart", "disconnect", "oom_kill", "disk_full", "clock_skew"}
    ),
    frozenset({"cpu_quota"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A scenario that can be run.

    Args:
        scenario: The scenario, scaled.
        services: The services that it starts, upstreams first.
        samples: Expected number of operations by load and phase.
    """

    scenario: Scenario
    services: tuple[str, ...]
    samples: dict[str, dict[str, int]]


def make_plan(scenario: Scenario, *, time_scale: float, environment: Environment) -> Plan:
    """Return the plan of a run.

    Raises:
        PlanRefused: If the scenario cannot be meant; carries every reason.
    """
    reasons = [*_refusals(scenario, environment.offers()), *_scale_refusals(scenario, time_scale)]
    if reasons:
        raise PlanRefused(scenario.name, reasons)
    ready = scaled(scenario, time_scale)
    samples = {load.name: dict(_samples(load, ready)) for load in ready.loads}
    return Plan(scenario=ready, services=ready.services(), samples=samples)


def breakers_of(scenario: Scenario) -> list[Breaker]:
    """Return the breakers of the services that the scenario starts."""
    started = scenario.services()
    return [breaker for breaker in scenario.system.breakers if breaker.service in started]


def _refusals(scenario: Scenario, offered: frozenset[Capability]) -> Iterator[str]:
    for entry in scenario.timeline:
        yield from _fault_refusals(scenario, entry, offered)
    yield from _overlaps(scenario)
    yield from _settle_refusals(scenario)
    yield from _baseline_refusals(scenario)


def _fault_refusals(
    scenario: Scenario, entry: TimelineEntry, offered: frozenset[Capability]
) -> Iterator[str]:
    fault, target = entry.fault, entry.fault.target
    started = scenario.services()
    if isinstance(target, Link):
        if target.client not in started or target.server not in started:
            yield (
                f"fault {fault.name!r} acts on link '{target}', which no load crosses; loads reach "
                f"{', '.join(started)}"
            )
    elif target not in started:
        yield (
            f"fault {fault.name!r} acts on service {target!r}, which no load reaches; loads reach "
            f"{', '.join(started)}"
        )
    lacking = sorted(fault.needs - offered)
    if lacking:
        yield (
            f"fault {fault.name!r} needs {', '.join(lacking)} control, which this environment "
            "does not offer; 'atlas-chaos doctor' shows what it offers"
        )


def _overlaps(scenario: Scenario) -> Iterator[str]:
    """Refuse two faults at once on one service of which one would spoil the other."""
    for group in _ONE_AT_A_TIME:
        entries = [entry for entry in scenario.timeline if entry.fault.name in group]
        for first, second in combinations(entries, 2):
            if first.fault.target == second.fault.target and second.at_s < first.end_s:
                yield (
                    f"faults {first.fault.name!r} and {second.fault.name!r} overlap on service "
                    f"{first.fault.target!r}; end the first before the second starts"
                )


def _settle_refusals(scenario: Scenario) -> Iterator[str]:
    hit = {entry.fault.target for entry in scenario.timeline}
    for breaker in breakers_of(scenario):
        if hit.intersection(breaker.links) and scenario.settle.at_most_s < breaker.open_duration_s:
            yield (
                f"settle of at most {scenario.settle.at_most_s:g} s is shorter than the open time "
                f"of breaker {breaker.name!r} ({breaker.open_duration_s:g} s), so it cannot close"
            )


def _baseline_refusals(scenario: Scenario) -> Iterator[str]:
    steady = scenario.steady_state
    for load in scenario.loads:
        if not counts_for_steady_state(scenario, load):
            continue
        expected = dict(_samples(load, scenario)).get("baseline", 0)
        if expected < steady.needed:
            yield (
                f"load {load.name!r} offers {expected} operations in the baseline of "
                f"{scenario.baseline_s:g} s, but its steady state needs {steady.needed}; lengthen "
                "the baseline or raise the rate"
            )


def counts_for_steady_state(scenario: Scenario, load: Load) -> bool:
    """Say whether the steady state looks at a load: named, or on from start to end."""
    if scenario.steady_state.loads:
        return load.name in scenario.steady_state.loads
    return load.start_s == 0.0 and load.duration_s is None and load.count is None


def _scale_refusals(scenario: Scenario, time_scale: float) -> Iterator[str]:
    smallest = ceil(max(limit for limit, _ in _scale_limits(scenario)) * 1000.0) / 1000.0
    for limit, reason in _scale_limits(scenario):
        if limit > 1.0:
            yield f"{reason} at any time scale"
        elif time_scale < limit * (1.0 - 1e-9):
            yield f"{reason} at time scale {time_scale:g}; from {smallest:g} on it works"


def _scale_limits(scenario: Scenario) -> Iterator[tuple[float, str]]:
    """Yield the smallest time scale that each part allows, and what is wrong below it."""
    yield 0.0, ""
    for breaker in breakers_of(scenario):
        yield (
            OPEN_AT_LEAST_S / breaker.open_duration_s,
            f"breaker {breaker.name!r} would be open for less than {OPEN_AT_LEAST_S} s",
        )
    for entry in scenario.timeline:
        delay_s = getattr(entry.fault, "delay_s", None)
        if delay_s:
            yield (
                DELAY_AT_LEAST_S / delay_s,
                f"fault {entry.fault.name!r} would delay by less than {DELAY_AT_LEAST_S:g} s",
            )
        offset_s = getattr(entry.fault, "offset_s", None)
        if offset_s:
            yield (
                SKEW_AT_LEAST_S / abs(offset_s),
                f"fault {entry.fault.name!r} would be off by less than {SKEW_AT_LEAST_S:g} s",
            )
    if scenario.alerts is not None:
        yield (
            1.0 / LOOKS_AT_MOST_PER_S / scenario.alerts.every_s,
            f"alerts would be evaluated more than {LOOKS_AT_MOST_PER_S:g} times a second",
        )
    rate_per_s = sum(load.rate_per_s for load in scenario.loads)
    yield (
        rate_per_s / RATE_AT_MOST_PER_S,
        f"the loads would offer more than {RATE_AT_MOST_PER_S:g}/s",
    )


def _samples(load: Load, scenario: Scenario) -> Iterator[tuple[str, int]]:
    """Yield the expected number of operations in each phase; for settle, at most."""
    ends_s = [scenario.longest_s]
    if load.duration_s is not None:
        ends_s.append(load.start_s + load.duration_s)
    if load.count is not None:
        ends_s.append(load.start_s + load.count / load.rate_per_s)
    for name, start_s, end_s in phases_of(scenario):
        overlap_s = min(end_s, *ends_s) - max(start_s, load.start_s)
        yield name, max(0, round(overlap_s * load.rate_per_s))


def phases_of(scenario: Scenario) -> list[tuple[str, float, float]]:
    """Return name, start and end of the phases as planned, seconds since the start of the run."""
    settle_s = scenario.settle_start_s
    return [
        ("baseline", 0.0, scenario.baseline_s),
        ("fault", scenario.baseline_s, settle_s),
        ("settle", settle_s, scenario.longest_s),
    ]


_WIDTH = 64  # columns of a lane; with its name it fits a terminal of 100


def lanes(plan: Plan) -> str:
    """Return the timeline of a plan as text: a lane for each phase, load and fault."""
    scenario = plan.scenario
    rows = [(name, start, end, "") for name, start, end in phases_of(scenario)]
    for load in scenario.loads:
        counts = ", ".join(f"{name} {count}" for name, count in plan.samples[load.name].items())
        end_s = _end_of(load, scenario)
        rows.append((load.name, load.start_s, end_s, f"{load.rate_per_s:g}/s real: {counts}"))
    for entry in scenario.timeline:
        what = f"{entry.fault.name} {entry.fault.target}"
        rows.append((what, entry.at_s, entry.end_s, ""))
    width = max(len(row[0]) for row in rows)
    lines = [_lane(row, scenario.longest_s, width) for row in rows]
    head = (
        f"{scenario.name}: at most {scenario.longest_s:.1f} s real at time scale "
        f"{scenario.time_scale:g}, services {', '.join(plan.services)}"
    )
    return "\n".join([head, *lines])


def _end_of(load: Load, scenario: Scenario) -> float:
    if load.count is not None:
        return load.start_s + load.count / load.rate_per_s
    if load.duration_s is not None:
        return load.start_s + load.duration_s
    return scenario.longest_s


def _lane(row: tuple[str, float, float, str], total_s: float, width: int) -> str:
    name, start_s, end_s, note = row
    first = round(start_s / total_s * _WIDTH)
    last = max(first + 1, round(end_s / total_s * _WIDTH))
    bar = "·" * first + "█" * (last - first) + "·" * (_WIDTH - last)
    return f"  {name:<{width}} {bar} {start_s:6.2f}s to {end_s:6.2f}s  {note}".rstrip()
