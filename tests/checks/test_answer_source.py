import pytest

from harness.checks.answer_source import AnswerSource
from harness.model.verdict import Verdict
from tests.checks.histories import ask, failures, operation, operations, phases

CHECK = AnswerSource(load="lookups", during="settle", only=("primary",))


def test_a_single_answer_from_elsewhere_fails():
    found = ask(CHECK, phases(), operations(80, 110), [operation(90.1, source="stale_cache")])

    assert found.verdict is Verdict.FAILED
    assert found.witnesses == ("lookups-90.100 at 90.100 s: from stale_cache",)
    assert found.at_ns == 90_100_000_000


def test_answers_from_the_allowed_source_pass():
    found = ask(CHECK, phases(), operations(80, 110), failures(80.1, 90))

    assert found.verdict is Verdict.PASSED
    assert found.got == "all 120 answers did"


def test_too_few_answers_decide_nothing():
    found = ask(CHECK, phases(), operations(80, 82))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (8, 20)


def test_answers_that_do_not_name_their_source_decide_nothing():
    found = ask(CHECK, phases(), operations(80, 110, source=None))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "x-atlas-source" in found.reason


def test_a_run_without_the_phase_decides_nothing():
    assert ask(CHECK, phases()[:1]).verdict is Verdict.INCONCLUSIVE


def test_no_allowed_source_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one source"):
        AnswerSource(load="lookups", during="run", only=())
