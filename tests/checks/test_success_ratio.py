import pytest

from harness.checks.proportions import FALSE_ALARM, decide_at_least
from harness.checks.statistics import reject_low
from harness.checks.success_ratio import SuccessRatio
from harness.model.verdict import Verdict
from tests.checks.histories import (
    ask,
    failed,
    failures,
    mixed,
    operation,
    operations,
    phases,
    refused,
)

CHECK = SuccessRatio(load="lookups", during="fault", at_least_ratio=0.99)


def test_an_outage_fails_with_its_worst_witnesses():
    found = ask(CHECK, phases(), operations(20, 60), failures(60, 80))

    assert found.verdict is Verdict.FAILED
    assert found.check == "success_ratio(lookups, fault)"
    assert found.expected == "at least 99.00% of the operations are OK"
    assert found.got == "160 of 240 operations were OK (66.67%)"
    assert (found.samples, found.value, found.limit) == (240, pytest.approx(2 / 3), 0.99)
    assert len(found.witnesses) == 5
    assert found.witnesses[0] == "lookups-60.000 at 60.000 s: FAILED (http_500)"
    assert found.at_ns == 60_000_000_000


def test_a_sound_service_passes():
    found = ask(CHECK, phases(), operations(20, 80))

    assert found.verdict is Verdict.PASSED
    assert found.reason == ""


def test_too_few_operations_decide_nothing():
    found = ask(CHECK, phases(), operations(20, 24))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (16, 60)
    assert found.reason == "only 16 of the 60 samples that it needs"


def test_operations_of_other_loads_and_phases_do_not_count():
    found = ask(
        CHECK,
        phases(),
        operations(20, 80),
        failures(0, 20),
        failures(80, 110),
        failures(20, 80, load="jobs"),
    )

    assert found.verdict is Verdict.PASSED


def test_what_chance_may_show_is_neither_passed_nor_failed():
    found = ask(CHECK, phases(), mixed(240, 235))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "by chance" in found.reason


def test_too_few_to_rule_out_a_service_ten_points_worse_do_not_pass():
    found = ask(CHECK, phases(), operations(20, 32))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.startswith("48 samples rule out only")


@pytest.mark.parametrize("make", [lambda t: refused(t, "breaker"), failed])
def test_refused_and_failed_operations_are_not_ok(make):
    found = ask(CHECK, phases(), operations(20, 60), [make(60 + i / 4) for i in range(80)])

    assert found.verdict is Verdict.FAILED


def test_an_unknown_outcome_is_not_ok():
    lost = [operation(60 + i / 4, outcome="UNKNOWN", status=None) for i in range(80)]

    found = ask(CHECK, phases(), operations(20, 60), lost)

    assert found.verdict is Verdict.FAILED


def test_a_fault_that_does_not_bite_breaks_the_upper_bound():
    check = SuccessRatio(load="lookups", during="fault", at_most_ratio=0.5)

    assert ask(check, phases(), operations(20, 80)).verdict is Verdict.FAILED
    assert ask(check, phases(), failures(20, 80)).verdict is Verdict.PASSED
    assert ask(check, phases(), failures(20, 22)).verdict is Verdict.INCONCLUSIVE


def test_a_run_that_did_not_come_to_the_phase_decides_nothing():
    found = ask(CHECK, phases()[:1], operations(0, 20))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "the run has no phase fault"


def test_bounds_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="below at_least"):
        SuccessRatio(load="lookups", during="run", at_least_ratio=0.9, at_most_ratio=0.5)
    with pytest.raises(ValueError, match="expected a share"):
        SuccessRatio(load="lookups", during="run")


def test_a_share_exactly_at_the_bound_passes():
    check = SuccessRatio(load="lookups", during="fault", at_least_ratio=0.95)

    assert ask(check, phases(), mixed(240, 228)).verdict is Verdict.PASSED
    assert ask(check, phases(), mixed(240, 227)).verdict is Verdict.INCONCLUSIVE


def test_the_limit_of_one_in_a_million_is_the_last_count_that_fails():
    limit = reject_low(240, 0.99, FALSE_ALARM)

    assert decide_at_least(limit, 240, bound=0.99).verdict is Verdict.FAILED
    assert decide_at_least(limit + 1, 240, bound=0.99).verdict is Verdict.INCONCLUSIVE
