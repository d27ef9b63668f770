"""The records of a probe, of the steady state and of the settle phase."""

from collections.abc import Sequence

from harness.model.fields import Kind
from harness.model.scenario import AnswerFormat, ProbeCondition, ProbeSpec, Settle, SteadyState
from harness.scenario_files.forms import Choice, ListOf, Number, Quantity, Text
from harness.scenario_files.keys import Key, Record
from harness.scenario_files.references import Reference
from harness.scenario_files.structures import Json

_DURATION = Quantity(kind=Kind.DURATION, above=0.0)

PROBE = Record(
    make=ProbeSpec,
    expected="a probe with 'service', 'path' and 'every'",
    keys=(
        Key(
            key="service",
            attribute="service",
            form=Reference(noun="service"),
            doc="the service that is asked, directly and not through a fault proxy",
            required=True,
        ),
        Key(
            key="path",
            attribute="path",
            form=Text(pattern=r"/\S*", expected="a path such as '/v1/health'"),
            doc="path that is read",
            required=True,
        ),
        Key(
            key="every",
            attribute="every_s",
            form=_DURATION,
            doc="interval between two readings",
            required=True,
        ),
        Key(
            key="format",
            attribute="format",
            form=Choice(choices=tuple(AnswerFormat), build=AnswerFormat),
            doc="a JSON document, or a page of metrics in Prometheus' text format",
            default=AnswerFormat.JSON,
        ),
    ),
)

STEADY_STATE = Record(
    make=SteadyState,
    expected="a mapping with 'success_ratio', 'latency_p95', 'samples' or 'loads'",
    keys=(
        Key(
            key="success_ratio",
            attribute="success_ratio",
            form=Quantity(kind=Kind.RATIO),
            doc="least share of operations that are OK",
            default=0.99,
        ),
        Key(
            key="latency_p95",
            attribute="latency_p95_s",
            form=_DURATION,
            doc="largest 95th percentile of latency, in real time",
        ),
        Key(
            key="samples",
            attribute="needed",
            form=Number(minimum=1),
            doc="operations that the baseline needs before it proves anything",
            default=20,
        ),
        Key(
            key="loads",
            attribute="loads",
            form=ListOf(form=Reference(noun="load"), noun="load", example="[lookups]"),
            doc="the loads that count; without it, all that run from the start to the end",
            default=(),
        ),
    ),
)

CONDITION = Record(
    make=ProbeCondition,
    expected="a condition such as {probe: jobs, value: tasks.open, equals: 0}",
    keys=(
        Key(
            key="probe",
            attribute="probe",
            form=Reference(noun="probe"),
            doc="the probe whose newest answer is looked at",
            required=True,
        ),
        Key(
            key="value",
            attribute="value",
            form=Text(pattern=r"[^\s.]+(\.[^\s.]+)*", expected="a path such as 'tasks.open'"),
            doc="dotted path of a value in its answer, or a series such as 'up{job=api}'",
            required=True,
        ),
        Key(
            key="equals",
            attribute="equals",
            form=Json(),
            doc="the value that it must have",
            required=True,
        ),
    ),
)


def _settle(*, at_most_s: float, hold_s: float, until: Sequence[ProbeCondition] = ()) -> Settle:
    if hold_s > at_most_s:
        raise ValueError("hold: is longer than 'at_most', so it could never be over")
    return Settle(at_most_s=at_most_s, hold_s=hold_s, until=tuple(until))


SETTLE = Record(
    make=_settle,
    expected="a mapping with 'at_most' and 'hold'",
    keys=(
        Key(
            key="at_most",
            attribute="at_most_s",
            form=_DURATION,
            doc="bound on the wait for the steady state after the last heal",
            required=True,
        ),
        Key(
            key="hold",
            attribute="hold_s",
            form=_DURATION,
            doc="how long the steady state must hold",
            required=True,
        ),
        Key(
            key="until",
            attribute="until",
            form=ListOf(form=CONDITION, noun="condition"),
            doc="conditions on probes that must hold too",
            default=(),
        ),
    ),
)
