import pytest

from harness.checks.fallback import Fallback
from harness.model.records import FallbackUse
from harness.model.verdict import Verdict
from tests.checks.histories import ask, failures, ns, operation, operations, phases, times

CHECK = Fallback(
    load="lookups", during="fault", source="stale_cache", at_least_ratio=0.9, max_age_s=60.0
)


def stale(start: float, end: float, *, age: float | None = 20.0):
    return [operation(t, source="stale_cache", age_s=age) for t in times(start, end)]


def test_a_service_without_its_fallback_fails():
    found = ask(CHECK, phases(), failures(20, 80))

    assert found.verdict is Verdict.FAILED
    assert found.got == "0 of 240 came from stale_cache"
    assert found.expected == "at least 90.00% of answers from stale_cache, none older than 60 s"
    assert found.value == 0.0


def test_a_fallback_that_answers_passes():
    found = ask(CHECK, phases(), operations(20, 23), stale(23, 80))

    assert found.verdict is Verdict.PASSED
    assert found.got == "228 of 240 came from stale_cache, the oldest 20.000 s old"


def test_too_few_operations_decide_nothing():
    found = ask(CHECK, phases(), stale(20, 23))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (12, 31)


def test_a_single_answer_older_than_allowed_fails():
    found = ask(CHECK, phases(), stale(20, 70), stale(70, 79.75), stale(79.75, 80, age=61.0))

    assert found.verdict is Verdict.FAILED
    assert found.witnesses == ("lookups-79.750 at 79.750 s: 61 s old",)


def test_answers_that_do_not_tell_their_age_decide_nothing():
    found = ask(CHECK, phases(), stale(20, 80, age=None))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "x-atlas-age-s" in found.reason


def test_a_service_that_claims_another_source_than_its_answer_fails():
    claim = FallbackUse(
        t_ns=ns(30),
        service="api",
        incarnation="1",
        seq=1,
        name="lookups",
        call_id="lookups-30.000",
        source="static",
    )

    found = ask(CHECK, phases(), stale(20, 80), claim)

    assert found.verdict is Verdict.FAILED
    assert found.witnesses == ("lookups-30.000 at 30.000 s: stale_cache, the service says static",)


def test_an_age_of_answers_that_have_none_is_refused():
    with pytest.raises(ValueError, match="only answers from stale_cache"):
        Fallback(load="x", during="fault", source="static", at_least_ratio=0.9, max_age_s=1.0)


def test_a_run_without_the_phase_decides_nothing():
    assert ask(CHECK, phases()[:1]).verdict is Verdict.INCONCLUSIVE


def test_an_answer_exactly_as_old_as_allowed_passes():
    assert ask(CHECK, phases(), stale(20, 80, age=60.0)).verdict is Verdict.PASSED
