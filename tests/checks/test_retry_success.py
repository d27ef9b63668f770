import dataclasses

import pytest

from harness.checks.retry_success import RetrySuccess
from harness.model.records import ChaosAct
from harness.model.system import Link, LinkSpec
from harness.model.verdict import Verdict
from tests.checks.histories import (
    API_DB,
    BATCH_WI,
    SCRIPTED,
    SYSTEM,
    ask,
    call,
    clocks,
    failed,
    fault,
    gap,
    ns,
    operation,
    phases,
    refused,
)

BATCH_CO = Link("batch", "portal_co")
CHECK = RetrySuccess(link=BATCH_WI, attempts=3)
EVENTS = clocks("batch", "portal_wi")


def calls(*statuses, n=10, start=30.0, prefix="c"):
    return [record for i in range(n) for record in call(start + i, f"{prefix}{i}", *statuses)]


def judged(*parts, check=CHECK):
    return ask(check, phases(), EVENTS, *parts, timeline=(SCRIPTED,))


def test_a_layer_that_gives_up_one_attempt_early_fails():
    found = judged(calls(503, 503))

    assert found.verdict is Verdict.FAILED
    assert found.witnesses[0] == "c0 at 30.110 s: gave up after 2 bad attempts, 3 were allowed"


def test_a_layer_that_makes_one_attempt_too_many_fails():
    found = judged(calls(503, 503, 503, 503))

    assert found.verdict is Verdict.FAILED
    assert "4 bad attempts and went on, after 3 it had to give up" in found.witnesses[0]


def test_a_layer_that_succeeds_with_an_attempt_it_did_not_have_fails():
    found = judged(calls(503, 503, 503, 200))

    assert found.verdict is Verdict.FAILED


def test_a_sound_layer_passes():
    found = judged(calls(200), calls(503, 200, prefix="d"), calls(503, 503, 200, prefix="e"))

    assert found.verdict is Verdict.PASSED
    assert found.samples == 10  # only those whose last attempt mattered


def test_a_sound_layer_that_has_to_give_up_passes():
    assert judged(calls(503, 503, 503)).verdict is Verdict.PASSED


def test_calls_that_needed_no_last_attempt_decide_nothing():
    found = judged(calls(503, 200))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (0, 5)
    assert found.reason == "only 0 calls met 2 bad attempts, it needs 5"


@pytest.mark.parametrize("missing", [[gap("portal_wi")], []])
def test_an_upstream_without_its_record_decides_nothing(missing):
    parts = (phases(), calls(503, 503, 503) if missing else [], clocks("batch"))

    found = ask(CHECK, *parts, missing, timeline=(SCRIPTED,))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "portal_wi" in found.reason


def test_an_answer_cut_off_counts_as_a_bad_attempt():
    assert judged(calls(None, None)).verdict is Verdict.FAILED
    assert judged(calls(None, None, 200)).verdict is Verdict.PASSED


def test_answers_that_a_layer_may_or_may_not_retry_decide_nothing():
    assert judged(calls(404)).verdict is Verdict.INCONCLUSIVE
    assert judged(calls(500)).verdict is Verdict.INCONCLUSIVE


def test_further_pages_after_a_good_one_are_no_retries():
    assert judged(calls(503, 200, 503, 200)).verdict is Verdict.PASSED


def test_calls_that_another_fault_may_have_cut_are_left_out():
    cut = fault(index=1, name="down", target="batch -> portal_wi", start=29, end=45)

    found = judged(calls(503, 503), cut)

    assert found.verdict is Verdict.INCONCLUSIVE


def test_calls_between_two_attempts_at_the_end_of_the_run_are_left_out():
    assert judged(calls(503, n=1, start=108.0)).verdict is Verdict.INCONCLUSIVE


def test_calls_that_were_refused_locally_are_left_out():
    refusals = [refused(30.0 + i, "bulkhead", call_id=f"c{i}") for i in range(10)]

    assert judged(calls(503, 503), refusals).verdict is Verdict.INCONCLUSIVE


def test_a_client_that_fails_although_its_last_attempt_was_good_fails():
    wrong = [failed(30.0 + i, call_id=f"c{i}") for i in range(10)]

    found = judged(calls(503, 503, 200), wrong)

    assert found.verdict is Verdict.FAILED
    assert "its last attempt was good, yet the client saw http_500" in found.witnesses[0]


def test_an_answer_that_calls_itself_primary_after_bad_attempts_only_fails():
    wrong = [operation(30.0 + i, call_id=f"c{i}") for i in range(10)]

    assert judged(calls(503, 503, 503), wrong).verdict is Verdict.FAILED


def test_faults_inside_the_service_spoil_attempts_too():
    check = RetrySuccess(link=API_DB, attempts=2)

    def acts(n):
        return [
            ChaosAct(
                t_ns=ns(30 + i + k / 10),
                service="api",
                incarnation="1",
                seq=0,
                fault="network_failure",
                call_id=f"c{i}",
            )
            for i in range(10)
            for k in range(n)
        ]

    good = [operation(30.2 + i, call_id=f"c{i}") for i in range(10)]
    bad = [failed(30.2 + i, call_id=f"c{i}") for i in range(10)]
    parts = (phases(), clocks("api"))

    assert ask(check, *parts, acts(1), good).verdict is Verdict.PASSED
    assert ask(check, *parts, acts(2), bad).verdict is Verdict.PASSED
    assert ask(check, *parts, acts(1), bad).verdict is Verdict.FAILED  # no second attempt
    assert ask(check, *parts, acts(3), bad).verdict is Verdict.FAILED
    assert ask(check, *parts, gap("api"), acts(1), good).verdict is Verdict.INCONCLUSIVE


def test_fewer_samples_may_be_asked_for():
    check = dataclasses.replace(CHECK, samples=1)

    assert judged(calls(503, 503, 200, n=1), check=check).verdict is Verdict.PASSED


def inside(call_ids, n, *, start=30.0):
    return [
        ChaosAct(
            t_ns=ns(start + i + k / 10),
            service="batch",
            incarnation="1",
            seq=0,
            fault="network_failure",
            call_id=call_id,
        )
        for i, call_id in enumerate(call_ids)
        for k in range(n)
    ]


def test_a_load_tells_which_server_the_calls_were_for_that_never_got_there():
    ids = [f"c{i}" for i in range(10)]
    stale = [
        operation(30.5 + i, load="hit", call_id=call_id, source="degraded")
        for i, call_id in enumerate(ids)
    ]
    wide = dataclasses.replace(SYSTEM, links=(*SYSTEM.links, LinkSpec(link=BATCH_CO, variable="X")))
    parts = (phases(), EVENTS, stale)
    check = dataclasses.replace(CHECK, load="hit")

    def verdict_of(check, n):
        return ask(check, *parts, inside(ids, n), system=wide, timeline=(SCRIPTED,)).verdict

    assert verdict_of(CHECK, 3) is Verdict.INCONCLUSIVE  # they may have been for another server
    assert verdict_of(check, 3) is Verdict.PASSED
    assert verdict_of(check, 2) is Verdict.FAILED


def test_calls_of_other_loads_are_left_out():
    check = dataclasses.replace(CHECK, load="hit")
    mine = [operation(30.5 + i, load="hit", call_id=f"c{i}") for i in range(10)]

    assert judged(calls(503, 503), check=check).verdict is Verdict.INCONCLUSIVE
    assert judged(calls(503, 503), mine, check=check).verdict is Verdict.FAILED


def test_a_fault_elsewhere_cuts_no_call_of_this_link():
    elsewhere = fault(index=1, name="down", target="api -> db", start=29, end=45)

    assert judged(calls(503, 503), elsewhere).verdict is Verdict.FAILED
