import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import pytest

from harness.checks import judge
from harness.checks.breaker_transitions import BreakerTransitions
from harness.checks.latency import Latency
from harness.checks.recovery_time import RecoveryTime
from harness.checks.retry_amplification import RetryAmplification
from harness.checks.retry_spread import RetrySpread
from harness.checks.success_ratio import SuccessRatio
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.scenario import Expectation, Scenario
from harness.model.verdict import Verdict
from tests.checks.histories import (
    BATCH_WI,
    call,
    clocks,
    failures,
    fault,
    history,
    moves,
    operations,
    phases,
    received,
    scenario,
    stall,
    waited,
)

SUCCESS = SuccessRatio(load="lookups", during="fault", at_least_ratio=0.99)
RECOVERY = RecoveryTime(load="lookups", at_most_s=15.0)
CALM = BreakerTransitions(breaker="api-server", never=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaks:
    """A check with a bug."""

    name: ClassVar[str] = "breaks"
    summary: ClassVar[str] = "nothing"

    def judge(self, history: History, scenario: Scenario) -> Finding:
        raise ZeroDivisionError(f"{len(history)} records of {scenario.name}")


def sound():
    return history(phases(), fault(), operations(0, 110))


def outage():
    return history(phases(), fault(), operations(0, 20), failures(20, 82), operations(82, 110))


def test_a_sound_run_passes_and_says_what_held():
    verdict, findings, sentence, figures, is_noisy = judge(sound(), scenario(SUCCESS, RECOVERY))

    assert verdict is Verdict.PASSED
    assert len(findings) == 6  # four of the evidence, two of the checks
    assert sentence == "held: Lookups survive (2 checks)"
    assert figures["success_ratio_fault"] == 1.0
    assert not is_noisy


def test_the_worst_finding_decides_and_stands_first():
    verdict, findings, sentence, *_ = judge(outage(), scenario(RECOVERY, SUCCESS))

    assert verdict is Verdict.FAILED
    assert findings[0].name == "success_ratio"
    assert sentence == (
        "success_ratio(lookups, fault): expected at least 99.00% of the operations are OK, "
        "got 0 of 240 operations were OK (0.00%); off by 99 points; "
        "chance explains that in less than 1e-06 of runs; at 20.000 s"
    )


def test_a_check_that_breaks_is_a_harness_error_and_never_passes():
    verdict, findings, sentence, *_ = judge(sound(), scenario(Breaks(), SUCCESS))

    assert verdict is Verdict.HARNESS_ERROR
    assert findings[0].check == "breaks"
    assert findings[0].reason.startswith("ZeroDivisionError: ")
    assert "test_verdict.py" in findings[0].reason
    assert "the check itself broke" in sentence


def test_without_a_steady_baseline_no_check_is_asked():
    broken = history(phases(), fault(), failures(0, 110))

    verdict, findings, *_ = judge(broken, scenario(SUCCESS))

    assert verdict is Verdict.INCONCLUSIVE
    asked = {finding.check: finding for finding in findings}["success_ratio"]
    assert asked.got == "not asked"
    assert asked.reason.startswith("the baseline did not hold: success ratio 0.00%")


def test_without_its_faults_no_check_is_asked():
    verdict, findings, *_ = judge(history(phases(), operations(0, 110)), scenario(SUCCESS))

    assert verdict is Verdict.INCONCLUSIVE
    assert "1 faults were never applied" in [finding.reason for finding in findings]


def test_on_a_machine_that_stalled_times_are_not_failed():
    slow = Latency(load="lookups", during="fault", at_most_s=0.3)
    run = [phases(), fault(), operations(0, 20), operations(20, 110, took=0.9)]

    assert judge(history(*run), scenario(slow)).verdict is Verdict.FAILED
    stalled = judge(history(*run, stall(105, 16.0)), scenario(slow, CALM))
    assert stalled.verdict is Verdict.INCONCLUSIVE
    assert {f.name for f in stalled.findings[:2]} == {"stall_budget", "latency"}
    counted = history(phases(), fault(), operations(0, 20), failures(20, 110), stall(105, 16.0))
    assert judge(counted, scenario(SUCCESS, CALM)).verdict is Verdict.FAILED  # counts stay sure
    assert stalled.is_noisy


def test_a_run_that_only_a_check_calls_undecided_for_a_stall_is_noisy_too():
    spread = RetrySpread(link=BATCH_WI, at_most=5, within_s=1.0, samples=8)
    herd = [call(30 + i / 100, f"c{i}", 503, 200, pause=20.0) for i in range(8)]
    run = [phases(), fault(), operations(0, 110), clocks("batch", "portal_wi"), *herd]

    assert judge(history(*run), scenario(spread)).verdict is Verdict.FAILED
    stalled = judge(history(*run, stall(50, 0.4, "batch")), scenario(spread))
    assert stalled.verdict is Verdict.INCONCLUSIVE
    assert [f.name for f in stalled.findings if f.is_noisy] == ["retry_spread"]
    assert stalled.is_noisy


def test_without_processors_only_rules_that_hold_at_any_speed_can_fail():
    run = [phases(), fault(), operations(0, 20), failures(20, 110)]

    starved = judge(history(*run, waited(40, 0.6)), scenario(SUCCESS))
    assert starved.verdict is Verdict.INCONCLUSIVE
    assert starved.is_noisy
    assert {f.name for f in starved.findings[:2]} == {"processors", "success_ratio"}
    assert judge(history(*run, waited(40, 0.4)), scenario(SUCCESS)).verdict is Verdict.FAILED
    storms = call(30, "c", *[503] * 9)
    exact = scenario(RetryAmplification(link=BATCH_WI))
    assert judge(history(*run, storms, waited(40, 0.6)), exact).verdict is Verdict.FAILED


def test_processors_that_were_missing_spoil_no_failure_that_holds_at_any_speed():
    exact = scenario(RetryAmplification(link=BATCH_WI), expect=expecting("retry_amplification"))
    run = history(sound(), call(30, "c", *[503] * 9), waited(40, 0.9))

    assert judge(run, exact).verdict is Verdict.PASSED


def test_a_planted_defect_is_not_found_by_a_failure_that_a_stall_may_explain():
    run = history(outage(), clocks("api"), stall(105, 16.0))

    judged = judge(run, scenario(SUCCESS, CALM, expect=expecting("success_ratio")))

    assert judged.verdict is Verdict.INCONCLUSIVE
    assert "stall_budget is INCONCLUSIVE too" in judged.sentence


def test_processors_that_were_missing_cost_nothing_where_all_passed():
    judged = judge(history(sound(), waited(40, 0.9)), scenario(SUCCESS))

    told = next(finding for finding in judged.findings if finding.name == "processors")
    assert judged.verdict is Verdict.PASSED
    assert (
        told.got
        == "api waited 90% of the second before 40.000 s; every check was decided all the same"
    )


def test_waits_of_one_second_and_one_service_add_up():
    quarters = [
        dataclasses.replace(waited(40 + i / 4, 0.15), interval_ns=250_000_000) for i in range(8)
    ]
    others = [dataclasses.replace(one, service="batch") for one in quarters]

    judged = judge(history(sound(), quarters, others), scenario(SUCCESS))

    told = next(finding for finding in judged.findings if finding.name == "processors")
    assert told.value == pytest.approx(0.6)


def test_processors_that_a_fault_took_are_not_missed():
    burners = fault(name="cpu_pressure", target="api")
    run = history(phases(), burners, operations(0, 20), failures(20, 110), waited(40, 0.9))

    assert "processors" not in {finding.name for finding in judge(run, scenario(SUCCESS)).findings}


def test_a_stall_that_put_no_check_in_doubt_is_told_and_costs_nothing():
    run = history(sound(), clocks("api"), stall(105, 16.0))

    judged = judge(run, scenario(SUCCESS, CALM))

    budget = next(finding for finding in judged.findings if finding.name == "stall_budget")
    assert judged.verdict is Verdict.PASSED
    assert budget.got == "the longest stall took 16.000 s; every check was decided all the same"


def expecting(check, verdict=Verdict.FAILED):
    return Expectation(verdict=verdict, check=check)


def test_a_planted_defect_that_is_found_passes():
    run = judge(outage(), scenario(SUCCESS, RECOVERY, expect=expecting("success_ratio")))

    assert run.verdict is Verdict.PASSED
    assert run.sentence.startswith("FAILED by success_ratio, as it had to be: ")


def test_a_planted_defect_that_is_not_found_fails():
    run = judge(sound(), scenario(SUCCESS, expect=expecting("success_ratio")))

    assert run.verdict is Verdict.FAILED
    assert run.sentence.startswith("expected FAILED by success_ratio, but success_ratio is PASSED")


def test_a_planted_defect_found_by_the_wrong_check_fails():
    run = judge(outage(), scenario(SUCCESS, RECOVERY, expect=expecting("recovery_time")))

    assert run.verdict is Verdict.FAILED


def test_a_planted_defect_on_too_little_evidence_is_inconclusive():
    weak = history(phases(), fault()[:2], operations(0, 20), failures(20, 82))  # never healed
    weak_run = judge(weak, scenario(SUCCESS, expect=expecting("success_ratio")))

    assert weak_run.verdict is Verdict.INCONCLUSIVE
    assert "but fault_effect(0:down) is INCONCLUSIVE too" in weak_run.sentence


def test_an_expected_check_that_could_not_decide_is_inconclusive_unless_another_failed():
    thin = dataclasses.replace(RECOVERY, samples=500)
    expect = expecting("recovery_time")

    undecided = judge(sound(), scenario(SUCCESS, thin, expect=expect))
    broken = judge(outage(), scenario(SUCCESS, thin, expect=expect))

    assert undecided.verdict is Verdict.INCONCLUSIVE
    assert broken.verdict is Verdict.FAILED


def test_a_load_that_did_not_recover_leaves_no_figure():
    one = RecoveryTime(load="lookups", at_most_s=15.0)
    other = RecoveryTime(load="other", at_most_s=15.0)
    dead = failures(20, 110, load="other")
    run = history(phases(), fault(), operations(0, 110), operations(0, 20, load="other"), dead)

    assert judge(run, scenario(one)).figures["recovery_time_s"] == 0.0
    assert "recovery_time_s" not in judge(run, scenario(one, other)).figures


def test_an_expected_check_that_was_not_asked_fails():
    run = judge(outage(), scenario(SUCCESS, expect=expecting("bulkhead")))

    assert run.verdict is Verdict.FAILED
    assert "bulkhead was not asked" in run.sentence


def test_a_check_that_broke_meets_no_expectation():
    run = judge(outage(), scenario(SUCCESS, Breaks(), expect=expecting("success_ratio")))

    assert run.verdict is Verdict.HARNESS_ERROR


def test_a_run_that_has_to_be_inconclusive_may_be_so_for_any_reason():
    expect = expecting(None, Verdict.INCONCLUSIVE)
    no_effect = history(phases(), fault(count=0), operations(0, 110))

    assert judge(no_effect, scenario(SUCCESS, expect=expect)).verdict is Verdict.PASSED
    assert judge(sound(), scenario(SUCCESS, expect=expect)).verdict is Verdict.FAILED
    assert judge(outage(), scenario(SUCCESS, expect=expect)).verdict is Verdict.FAILED


def test_figures_are_those_of_the_run_and_no_others():
    told = moves((21.5, "open"))
    storms = call(30, "c", 503, 503, 503, 200)
    run = judge(
        history(outage(), told, storms),
        scenario(SUCCESS, RetryAmplification(link=BATCH_WI)),
    )

    assert run.figures == {
        "success_ratio_baseline": 1.0,
        "success_ratio_fault": 0.0,
        "success_ratio_settle": pytest.approx(112 / 120),
        "recovery_time_s": pytest.approx(2.0),
        "time_to_detect_s": pytest.approx(1.5),
        "amplification_max": 4.0,
        "latency_p50_s": pytest.approx(0.01),
        "latency_p99_s": pytest.approx(0.01),
        "dispatch_late_p99_s": 0.0,
        "operations": 440.0,
    }


def test_the_recovery_figure_is_about_what_the_checks_ask_for():
    stale = operations(20, 85, source="stale_cache")
    run = history(phases(), fault(), operations(0, 20), stale, operations(85, 110))
    any_source = dataclasses.replace(RECOVERY, source="any")

    assert judge(run, scenario(RECOVERY)).figures["recovery_time_s"] == pytest.approx(5.0)
    assert judge(run, scenario(SUCCESS)).figures["recovery_time_s"] == pytest.approx(5.0)
    assert judge(run, scenario(any_source)).figures["recovery_time_s"] == 0.0


def test_pages_of_one_attempt_are_no_amplification():
    pages = [received(60 + i / 10, "pages", number=1, status=200) for i in range(4)]

    run = judge(history(outage(), pages), scenario(SUCCESS))

    assert run.figures["amplification_max"] == 1.0


def test_a_run_without_records_is_inconclusive_and_measures_nothing():
    run = judge(history(), scenario(SUCCESS))

    assert run.verdict is Verdict.INCONCLUSIVE
    assert run.figures == {"operations": 0.0}
