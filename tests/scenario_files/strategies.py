"""Draw scenarios about the small system: whatever a file can say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from fault_injectors.catalogue import FAULTS
from harness.model.fields import Field, Kind, fields_of
from harness.model.scenario import (
    AnswerFormat,
    Arrivals,
    Expectation,
    Load,
    ProbeCondition,
    ProbeSpec,
    Reuse,
    Scenario,
    Settle,
    Severity,
    SteadyState,
    TimelineEntry,
)
from harness.model.system import Link, System
from harness.model.verdict import Verdict
from tests.scenario_files.small_catalogue import CHECKS

LINKS = (Link("api", "db"), Link("batch", "db"))
SERVICES = ("api", "batch")
HOUR_S = 3600.0

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
texts = st.text(min_size=1, max_size=40).filter(lambda text: text.strip() != "")
durations = st.floats(min_value=0.001, max_value=HOUR_S) | st.integers(1, 3600).map(float)


def _without_placeholders(value: Any) -> Any:
    """Return the value with no `{`, which would ask for a field of a dataset."""
    if isinstance(value, str):
        return value.replace("{", "(")
    if isinstance(value, list):
        return [_without_placeholders(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_placeholders(item) for key, item in value.items()}
    return value


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text(max_size=10)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
).map(_without_placeholders)


def values_of(item: Field, loads: tuple[str, ...], probes: tuple[str, ...]) -> SearchStrategy[Any]:
    """Return the values that a described field may have."""
    low = item.minimum or 0.0
    high = HOUR_S if item.maximum is None else item.maximum
    whole = st.integers(int(low), int(min(high, 10**6)))
    references = {"breaker": st.just("api-server")}
    by_kind: dict[Kind, Callable[[], SearchStrategy[Any]]] = {
        Kind.DURATION: lambda: st.floats(max(low, 0.001), min(high, HOUR_S)),
        Kind.RATE: lambda: st.floats(max(low, 0.001), min(high, 1e9)),
        Kind.RATIO: lambda: st.floats(max(low, 1e-6), min(high, 1.0)),
        Kind.SIZE: lambda: whole,
        Kind.COUNT: lambda: whole,
        Kind.COUNTS: lambda: st.lists(whole, min_size=1, max_size=3).map(tuple),
        Kind.NUMBER: lambda: st.floats(low, 1e6),
        Kind.LINK: lambda: st.sampled_from(LINKS),
        Kind.SERVICE: lambda: st.just("api"),
        Kind.LOAD: lambda: st.sampled_from(loads),
        Kind.PROBE: lambda: st.sampled_from(probes),
        Kind.CHOICE: lambda: st.sampled_from(item.choices),
        Kind.CHOICES: lambda: st.lists(st.sampled_from(item.choices), min_size=1).map(tuple),
        Kind.TEXT: lambda: references.get(item.key, texts),
        Kind.FLAG: st.booleans,
    }
    return by_kind[item.kind]()


@st.composite
def described(
    draw: DrawFn, types: tuple[type[Any], ...], loads: tuple[str, ...], probes: tuple[str, ...]
) -> Any:
    """Draw a fault or a check; one whose values contradict each other is drawn again."""
    chosen = draw(st.sampled_from(types))
    fields = [f for f in fields_of(chosen) if probes or f.kind is not Kind.PROBE]
    given = [f for f in fields if f.required or draw(st.booleans())]
    values = {f.attribute: draw(values_of(f, loads, probes)) for f in given}
    try:
        return chosen(**values)
    except ValueError:
        # The fault that no value contradicts, instead of an assumption that rejects most draws.
        return CHECKS[2]() if chosen in CHECKS else FAULTS[7](link=LINKS[0])


@st.composite
def loads(draw: DrawFn, name: str) -> Load:
    """Draw a load."""
    length = draw(st.sampled_from(["for", "count", "none"]))
    has_dataset = draw(st.booleans())
    return Load(
        name=name,
        service=draw(st.sampled_from(SERVICES)),
        method=draw(st.sampled_from(["GET", "POST", "DELETE"])),
        path="/v1/lookup?lat={lat}" if has_dataset else "/v1/jobs",
        body=draw(json_values),
        dataset="cities" if has_dataset else None,
        rate_per_s=draw(st.floats(0.001, 1e6)),
        arrivals=draw(st.sampled_from(Arrivals)),
        start_s=draw(st.just(0.0) | durations),
        duration_s=draw(durations) if length == "for" else None,
        count=draw(st.integers(1, 10_000)) if length == "count" else None,
        clients=draw(st.integers(1, 1000)),
        reuse=draw(st.sampled_from(Reuse)),
        timeout_s=draw(durations),
        expect_status=tuple(draw(st.lists(st.integers(100, 599), max_size=3))),
    )


@st.composite
def timelines(draw: DrawFn, baseline_s: float) -> tuple[TimelineEntry, ...]:
    """Draw faults one after the other, so that none meets its like."""
    entries = []
    at_s = baseline_s
    for _ in range(draw(st.integers(0, 3))):
        fault = draw(described(FAULTS, ("unused",), ()))
        entry = TimelineEntry(at_s=at_s, duration_s=draw(durations), fault=fault)
        entries.append(entry)
        at_s = entry.end_s + 1.0
    return tuple(entries)


@st.composite
def scenarios(draw: DrawFn, path: Path, system: System) -> Scenario:
    """Draw a scenario about `system`, as it would be read from the file `path`."""
    load_names = tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True)))
    probe_names = tuple(draw(st.lists(names, max_size=2, unique=True)))
    baseline_s = draw(durations)
    hold_s = draw(durations)
    checks = tuple(
        draw(st.lists(described(CHECKS, load_names, probe_names), min_size=1, max_size=3))
    )
    check = draw(st.sampled_from(checks)).name
    conditions = st.builds(
        ProbeCondition,
        probe=st.sampled_from(probe_names),
        value=st.just("tasks.open"),
        equals=json_values,
    )
    return Scenario(
        name=path.name.removesuffix(".chaos.yaml"),
        path=path,
        line=1,
        claim=draw(texts),
        reason=draw(st.text(max_size=60) | st.lists(texts, min_size=2).map("\n".join)),
        system=system,
        severity=draw(st.sampled_from(Severity)),
        tags=tuple(draw(st.lists(names, max_size=2))),
        loads=tuple(draw(loads(name)) for name in load_names),
        probes=tuple(
            ProbeSpec(
                name=name,
                service="api",
                path="/v1/health",
                every_s=draw(durations),
                format=draw(st.sampled_from(AnswerFormat)),
            )
            for name in probe_names
        ),
        steady_state=SteadyState(
            success_ratio=draw(st.just(0.0) | st.floats(1e-6, 1.0)),
            latency_p95_s=draw(st.none() | durations),
            loads=draw(st.sampled_from([(), load_names])),
            needed=draw(st.integers(1, 1000)),
        ),
        baseline_s=baseline_s,
        timeline=draw(timelines(baseline_s)),
        settle=Settle(
            at_most_s=hold_s + draw(durations),
            hold_s=hold_s,
            until=tuple(draw(st.lists(conditions, max_size=2))) if probe_names else (),
        ),
        checks=checks,
        expect=draw(
            st.none()
            | st.just(Expectation(verdict=Verdict.FAILED, check=check))
            | st.just(Expectation(verdict=Verdict.INCONCLUSIVE))
        ),
        variables=draw(st.just({}) | st.just({"api": {"ATLAS_SEED": draw(st.text(max_size=9))}})),
    )
