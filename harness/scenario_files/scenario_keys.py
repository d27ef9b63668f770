"""The keys of a scenario file."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.check import Check
from harness.model.fault import Fault
from harness.model.fields import Kind
from harness.model.scenario import Expectation, Scenario, Severity, SteadyState
from harness.model.system import System
from harness.model.verdict import Verdict
from harness.scenario_files.alerting import ALERTING
from harness.scenario_files.catalogue_forms import CheckForm, FaultForm
from harness.scenario_files.forms import Choice, ListOf, Quantity, Text
from harness.scenario_files.keys import Key, Record
from harness.scenario_files.loads import load_record
from harness.scenario_files.phases import PROBE, SETTLE, STEADY_STATE
from harness.scenario_files.references import Reference
from harness.scenario_files.structures import MapOf
from harness.scenario_files.system_files import SYSTEM_SUFFIX
from harness.scenario_files.system_keys import IDENTIFIER, VARIABLES


def _expectation(*, verdict: Verdict, check: str | None = None) -> Expectation:
    if verdict is Verdict.FAILED and check is None:
        raise ValueError("verdict: FAILED needs 'check', the one that has to fire")
    return Expectation(verdict=verdict, check=check)


EXPECTATION = Record(
    make=_expectation,
    expected="a verdict such as {verdict: FAILED, check: recovery_time}",
    keys=(
        Key(
            key="verdict",
            attribute="verdict",
            form=Choice(choices=(Verdict.FAILED, Verdict.INCONCLUSIVE), build=Verdict),
            doc="what the checks have to come to; only then does the scenario pass",
            required=True,
        ),
        Key(
            key="check",
            attribute="check",
            form=Reference(noun="check"),
            doc="the check that has to fire, while the others hold",
        ),
    ),
)


def system_reference(scenario: Scenario) -> str:
    """Return how a scenario's file refers to its system: by name, or by path from its folder."""
    folder, system = scenario.path.parent, scenario.system.path
    if system == folder / f"{scenario.system.name}{SYSTEM_SUFFIX}":
        return scenario.system.name
    return os.path.relpath(system, folder)


def _about_keys() -> tuple[Key, ...]:
    return (
        Key(
            key="claim",
            attribute="claim",
            form=Text(),
            doc="a sentence that can turn out false",
            required=True,
        ),
        Key(
            key="reason",
            attribute="reason",
            form=Text(may_be_empty=True),
            doc="why it matters, and why the bounds are as they are",
            default="",
        ),
        Key(
            key="system",
            attribute="system",
            form=Text(expected="a system such as 'shadow_atlas'"),
            doc="name of the system file beside this one, or its path from here",
            required=True,
            take=system_reference,
        ),
        Key(
            key="severity",
            attribute="severity",
            form=Choice(choices=tuple(Severity), build=Severity),
            doc="how much a failure matters",
            default=Severity.NORMAL,
        ),
        Key(
            key="tags",
            attribute="tags",
            form=ListOf(form=IDENTIFIER, noun="tag", example="[api, database]"),
            doc="words to select scenarios by",
            default=(),
        ),
    )


def _offered_keys(system: System | None) -> tuple[Key, ...]:
    return (
        Key(
            key="load",
            attribute="loads",
            form=MapOf(noun="load", name=IDENTIFIER, form=load_record(system), named="name"),
            doc="the operations that are offered, by the name of the load",
            required=True,
            take=lambda scenario: {load.name: load for load in scenario.loads},
        ),
        Key(
            key="probes",
            attribute="probes",
            form=MapOf(noun="probe", name=IDENTIFIER, form=PROBE, named="name"),
            doc="quantities that are read again and again, by the name of the probe",
            default={},
            take=lambda scenario: {probe.name: probe for probe in scenario.probes},
        ),
        Key(
            key="alerts",
            attribute="alerts",
            form=ALERTING,
            doc="a Prometheus that watches the system, with its rules in the run's time scale",
        ),
        Key(
            key="steady_state",
            attribute="steady_state",
            form=STEADY_STATE,
            doc="what a healthy system looks like to the load",
            default=SteadyState(),
        ),
    )


def _course_keys(faults: Sequence[type[Fault]]) -> tuple[Key, ...]:
    return (
        Key(
            key="baseline",
            attribute="baseline_s",
            form=Quantity(kind=Kind.DURATION, above=0.0),
            doc="how long the steady state is watched before anything breaks",
            required=True,
        ),
        Key(
            key="timeline",
            attribute="timeline",
            form=ListOf(form=FaultForm(faults=faults), noun="fault"),
            doc="the faults and when they are in force",
            default=(),
        ),
        Key(
            key="settle",
            attribute="settle",
            form=SETTLE,
            doc="how long to wait for the steady state after the last heal",
            required=True,
        ),
    )


def _judgement_keys(checks: Sequence[type[Check]]) -> tuple[Key, ...]:
    return (
        Key(
            key="checks",
            attribute="checks",
            form=ListOf(form=CheckForm(checks=checks), noun="check"),
            doc="what must hold",
            required=True,
        ),
        Key(
            key="expect",
            attribute="expect",
            form=EXPECTATION,
            doc="for a scenario that has to fail",
        ),
        Key(
            key="variables",
            attribute="variables",
            form=MapOf(noun="mapping", name=Reference(noun="service"), form=VARIABLES),
            doc="extra environment variables by service, e.g. a planted defect",
            default={},
        ),
    )


def scenario_keys(
    system: System | None, faults: Sequence[type[Fault]], checks: Sequence[type[Check]]
) -> tuple[Key, ...]:
    """Return the keys of a scenario file.

    Args:
        system: The system that it is about; None if it is not known, so that what the file
            says about it is not checked.
        faults: The faults that it may name.
        checks: The checks that it may name.
    """
    return (
        *_about_keys(),
        *_offered_keys(system),
        *_course_keys(faults),
        *_judgement_keys(checks),
    )


def arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `Scenario` for what was read: tuples, the timeline in order."""
    return {
        **values,
        "loads": tuple(values["loads"].values()),
        "probes": tuple(values.get("probes", {}).values()),
        "timeline": tuple(sorted(values.get("timeline", ()), key=lambda entry: entry.at_s)),
    }
