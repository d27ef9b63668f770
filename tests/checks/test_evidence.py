import dataclasses

import pytest

from fault_injectors.down import Down
from fault_injectors.latency import Latency
from fault_injectors.partition import Partition
from harness.checks.breaker_transitions import BreakerTransitions
from harness.checks.evidence import evidence_findings
from harness.model.records import ProxyState, ToxicEffect
from harness.model.verdict import Verdict
from tests.checks.histories import (
    API_DB,
    BURNERS,
    DOWN,
    LOOKUPS,
    attempt,
    connection,
    failures,
    fault,
    history,
    ns,
    operation,
    operations,
    phases,
    scenario,
    stall,
    times,
)


def found(*parts, **more):
    """Return the evidence of a run by its name."""
    about = scenario(BreakerTransitions(breaker="api-server"), **more)
    return {finding.name: finding for finding in evidence_findings(history(*parts), about)}


def sound():
    return (phases(), fault(), operations(0, 110))


def test_a_sound_run_shows_everything():
    evidence = found(*sound())

    assert {finding.verdict for finding in evidence.values()} == {Verdict.PASSED}
    assert list(evidence) == ["baseline", "fault_effect", "load", "dispatch", "stall_budget"]


def test_a_baseline_that_was_never_healthy_decides_nothing():
    evidence = found(phases(), fault(), failures(0, 5), operations(5, 110))

    assert evidence["baseline"].verdict is Verdict.INCONCLUSIVE
    assert evidence["baseline"].reason == "success ratio 75.00% is below 99.00%"


def test_a_run_without_a_baseline_decides_nothing():
    assert found(operations(0, 110))["baseline"].verdict is Verdict.INCONCLUSIVE


def test_bounded_loads_have_no_steady_baseline():
    bounded = dataclasses.replace(LOOKUPS, count=400)

    assert found(*sound(), loads=(bounded,))["baseline"].verdict is Verdict.PASSED


def test_a_fault_without_an_effect_decides_nothing_and_says_on_how_much():
    evidence = found(phases(), fault(count=0), operations(0, 110))["fault_effect"]

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.reason == "no effect was seen: touched 0 of 240 operations"


def test_a_fault_that_was_never_applied_or_never_healed_decides_nothing():
    never = found(phases(), operations(0, 110))["fault_effect"]
    unhealed = found(phases(), fault()[:2], operations(0, 110))["fault_effect"]

    assert never.reason == "it was never applied"
    assert unhealed.reason == "it was not read back as healed"


@pytest.mark.parametrize(
    "effect",
    [
        ToxicEffect(
            t_ns=ns(30), proxy="api-db", toxic="t", connection=1, stream="upstream", what="delayed"
        ),
        ProxyState(t_ns=ns(20.0), proxy="api-db", enabled=False, connections_cut=2),
    ],
)
def test_what_the_proxy_saw_is_an_effect(effect):
    parts = (phases(), fault(count=0, start=20.2), operations(0, 110), [connection(1)])

    assert found(*parts)["fault_effect"].verdict is Verdict.INCONCLUSIVE
    assert found(*parts, effect)["fault_effect"].verdict is Verdict.PASSED


def test_what_another_link_or_another_time_saw_is_no_effect():
    def toxic(t, proxy):
        return ToxicEffect(
            t_ns=ns(t), proxy=proxy, toxic="t", connection=1, stream="upstream", what="delayed"
        )

    others = [toxic(30, "batch-portal_wi"), toxic(90, "api-db"), toxic(10, "api-db")]

    evidence = found(phases(), fault(count=0), operations(0, 110), others)

    assert evidence["fault_effect"].verdict is Verdict.INCONCLUSIVE


def test_a_link_that_is_down_touches_nobody_who_was_merely_slow():
    parts = (phases(), fault(count=0), operations(0, 20), operations(80, 110))

    effect = found(*parts, operations(20, 80, took=0.5))["fault_effect"]

    assert effect.verdict is Verdict.INCONCLUSIVE
    assert "touched 0 of 240 operations" in effect.got


def test_a_few_slow_ones_are_a_stall_and_no_effect_of_a_delay():
    slow = dataclasses.replace(DOWN, fault=Latency(link=API_DB, delay_s=0.4))
    parts = (phases(), fault(name="latency", count=0), operations(0, 20), operations(80, 110))
    few = (operations(20, 40, took=0.5), operations(40, 80))

    assert found(*parts, *few, timeline=(slow,))["fault_effect"].verdict is Verdict.INCONCLUSIVE


def test_without_a_record_of_the_proxy_its_victims_show_the_effect():
    parts = (phases(), fault(count=0), operations(0, 20), operations(80, 110))
    failing = [attempt(30 + i, f"f{i}", outcome="failed") for i in range(9)]
    healthy = [attempt(t, f"h{t}") for t in times(0, 20)]

    by_attempts = found(*parts, failing, healthy, operations(20, 80))["fault_effect"]
    by_failures = found(*parts, failures(20, 80))["fault_effect"]
    slow = dataclasses.replace(DOWN, fault=Latency(link=API_DB, delay_s=0.4))
    delayed = (phases(), fault(name="latency", count=0), operations(0, 20), operations(80, 110))
    by_delay = found(*delayed, operations(20, 80, took=0.5), timeline=(slow,))["fault_effect"]

    assert "touched 9 of 9 attempts" in by_attempts.got
    assert "touched 240 of 240 operations" in by_failures.got
    assert "touched 240 of 240 operations" in by_delay.got
    assert {f.verdict for f in (by_attempts, by_failures, by_delay)} == {Verdict.PASSED}


def test_errors_as_frequent_as_in_the_baseline_are_no_effect():
    broken = [attempt(t, f"c{t}", outcome="failed") for t in times(0, 110)]

    evidence = found(phases(), fault(count=0), operations(0, 110), broken)["fault_effect"]

    assert evidence.verdict is Verdict.INCONCLUSIVE


def test_a_phase_without_its_load_decides_nothing():
    evidence = found(phases(), fault(), operations(0, 80))["load"]

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.reason == "lookups sent nothing in settle"


def test_a_load_is_not_missed_where_it_was_not_due():
    bounded = dataclasses.replace(LOOKUPS, count=80)
    early = dataclasses.replace(LOOKUPS, duration_s=20.0)

    for load in (bounded, early):
        evidence = found(phases(), fault(), operations(0, 20), loads=(load,))["load"]
        assert evidence.verdict is Verdict.PASSED


def test_a_run_that_ended_in_the_baseline_decides_nothing():
    evidence = found(phases()[:1], operations(0, 20))["load"]

    assert "the run did not come to the phase fault" in evidence.reason


def test_a_scenario_without_faults_has_no_fault_phase():
    without = [phase for phase in phases() if phase.name != "fault"]

    assert found(without, operations(0, 110), timeline=())["load"].verdict is Verdict.PASSED


def late(t):
    return operation(t, started_ns=ns(t + 0.05))


def test_a_load_that_was_dispatched_late_decides_nothing():
    evidence = found(phases(), fault(), operations(0, 100), [late(t) for t in times(100, 110)])

    assert evidence["dispatch"].verdict is Verdict.INCONCLUSIVE
    assert evidence["dispatch"].value == pytest.approx(0.05)
    assert evidence["dispatch"].witnesses[0] == "lookups-100.000 at 100.000 s: 0.050 s late"


@pytest.mark.parametrize(("late_s", "verdict"), [(0.009, "PASSED"), (0.011, "INCONCLUSIVE")])
def test_ten_milliseconds_are_the_limit_of_a_dispatch(late_s, verdict):
    delayed = [operation(t, started_ns=ns(t + late_s)) for t in times(0, 110)]

    assert found(phases(), fault(), delayed)["dispatch"].verdict == verdict


def test_burners_are_meant_to_delay_the_load_too():
    burners = fault(name="cpu_pressure", target="api")
    parts = (
        phases(),
        burners,
        operations(0, 20),
        [late(t) for t in times(20, 80)],
        operations(80, 110),
    )

    assert found(*parts, timeline=(BURNERS,))["dispatch"].verdict is Verdict.PASSED
    assert found(*parts[:1], fault(), *parts[2:])["dispatch"].verdict is Verdict.INCONCLUSIVE


def test_no_operation_at_all_decides_nothing():
    assert found(phases(), fault())["dispatch"].verdict is Verdict.INCONCLUSIVE


def test_a_stall_of_more_than_half_an_open_time_decides_nothing():
    assert found(*sound(), stall(50, 14.0))["stall_budget"].verdict is Verdict.PASSED
    evidence = found(*sound(), stall(50, 16.0))["stall_budget"]
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.witnesses == ("harness at 50.000 s: 16.000 s late",)


def test_the_stall_budget_scales_with_the_run():
    evidence = found(*sound(), stall(50, 4.0), time_scale=0.25)

    assert evidence["stall_budget"].verdict is Verdict.INCONCLUSIVE


def test_where_no_breaker_is_judged_there_is_no_stall_budget():
    findings = evidence_findings(history(*sound(), stall(50, 16.0)), scenario())

    assert "stall_budget" not in {finding.name for finding in findings}


def test_each_fault_of_the_timeline_has_to_show_itself():
    two = (DOWN, dataclasses.replace(DOWN, at_s=50.0, duration_s=10.0))
    findings = evidence_findings(history(*sound()), scenario(timeline=two))

    effects = {f.check: f.verdict for f in findings if f.name == "fault_effect"}
    assert effects == {
        "fault_effect(0:down)": Verdict.PASSED,
        "fault_effect(1:down)": Verdict.INCONCLUSIVE,
    }


def test_where_the_proxy_records_all_its_effects_slow_victims_prove_nothing():
    slow = (phases(), operations(0, 20), operations(20, 80, took=0.5), operations(80, 110))
    by_other = (*slow, [connection(1)], fault(name="latency", count=0))
    other_proxy = (*slow, [connection(1, proxy="batch-db")], fault(name="latency", count=0))
    latency = dataclasses.replace(DOWN, fault=Latency(link=API_DB, delay_s=1.0))

    def verdict_of(parts):
        return found(*parts, timeline=(latency,))["fault_effect"].verdict

    assert verdict_of(by_other) is Verdict.INCONCLUSIVE
    assert verdict_of(other_proxy) is Verdict.PASSED


@pytest.mark.parametrize("kind", [Down, Partition], ids=lambda kind: kind.name)
def test_connections_that_were_refused_show_in_their_victims_only(kind):
    told = fault(name=kind.name, count=0)
    refused = (phases(), told, operations(0, 20), failures(20, 80), operations(80, 110))
    timeline = (dataclasses.replace(DOWN, fault=kind(link=API_DB)),)

    seen = found(*refused, [connection(1)], timeline=timeline)["fault_effect"]

    assert seen.verdict is Verdict.PASSED


def test_the_effects_that_the_proxy_saw_are_added_up():
    toxic = ToxicEffect(
        t_ns=ns(30), proxy="api-db", toxic="t", connection=1, stream="upstream", what="delayed"
    )
    cut = ProxyState(t_ns=ns(20.0), proxy="api-db", enabled=False, connections_cut=2)

    evidence = found(phases(), fault(count=0), operations(0, 110), [toxic], [cut])

    assert evidence["fault_effect"].value == 3.0
