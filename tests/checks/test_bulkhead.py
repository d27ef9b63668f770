import dataclasses

from harness.checks.bulkhead import Bulkhead
from harness.checks.in_flight import Span, peak
from harness.model.records import BulkheadDecision
from harness.model.system import Breaker
from harness.model.verdict import Verdict
from tests.checks.histories import (
    API_DB,
    BATCH_WI,
    SYSTEM,
    ask,
    attempt,
    clocks,
    gap,
    ns,
    phases,
    received,
)

CHECK = Bulkhead(service="batch", bulkhead="jobs", max_concurrent=5, max_queue=10)
EVENTS = clocks("batch", "portal_wi")


def told(active, queued=0, *, t=30.0, decision="admitted", name="jobs"):
    return BulkheadDecision(
        t_ns=ns(t),
        service="batch",
        incarnation="1",
        seq=0,
        name=name,
        decision=decision,
        active=active,
        queued=queued,
        max_concurrent=5,
        max_queue=10,
    )


def in_flight(n, *, t=30.0, took=2.0):
    return [received(t + i / 100, f"c{i}", took=took) for i in range(n)]


def judged(*parts, check=CHECK):
    return ask(check, phases(), EVENTS, *parts)


def test_a_bulkhead_that_admits_one_too_many_fails():
    found = judged([told(5), told(6, t=31)])

    assert found.verdict is Verdict.FAILED
    assert (found.value, found.limit) == (6.0, 5.0)
    assert found.witnesses == ("jobs at 31.000 s: admitted: 6 active, 0 queued",)


def test_a_queue_that_grows_beyond_its_bound_fails():
    found = judged([told(5, queued=11, decision="queued")])

    assert found.verdict is Verdict.FAILED


def test_a_full_bulkhead_within_its_bounds_passes():
    found = judged([told(i) for i in range(1, 6)], [told(5, queued=10)], in_flight(5))

    assert found.verdict is Verdict.PASSED
    assert found.got == "at most 5 active and 10 queued, 5 in flight at its upstreams"


def test_a_bulkhead_that_was_never_full_decides_nothing():
    found = judged([told(3)])

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "it was never full: at most 3 of 5 slots were taken"


def test_a_bulkhead_that_lies_about_what_its_upstream_sees_fails():
    found = judged([told(5)], in_flight(6))

    assert found.verdict is Verdict.FAILED
    assert found.witnesses == ("jobs at 30.050 s: 6 requests in flight at the upstream",)


def test_a_request_that_the_client_gave_up_frees_its_slot():
    given_up = [
        attempt(30.0 + i / 100, f"c{i}", link=BATCH_WI, outcome="failed", took=0.02)
        for i in range(6)
    ]

    assert judged([told(5)], in_flight(6), given_up).verdict is Verdict.PASSED


def test_a_bulkhead_that_tells_nothing_decides_nothing():
    other = judged([told(5, name="other")])
    torn = judged([told(5)], gap("batch"))

    assert other.verdict is Verdict.INCONCLUSIVE
    assert other.reason == "batch tells nothing of a bulkhead jobs"
    assert torn.verdict is Verdict.INCONCLUSIVE
    assert torn.reason == "3 events of batch.1 are missing"
    assert ask(CHECK, phases()).verdict is Verdict.INCONCLUSIVE


def test_a_bulkhead_of_one_link_is_not_blamed_for_another():
    check = dataclasses.replace(CHECK, link=API_DB)

    assert judged([told(5)], in_flight(6), check=check).verdict is Verdict.PASSED


def test_a_bulkhead_that_bears_the_name_of_a_breaker_guards_its_links():
    breaker = Breaker(name="jobs", service="batch", links=(API_DB,), open_duration_s=30.0)
    system = dataclasses.replace(SYSTEM, breakers=(breaker,))

    found = ask(CHECK, phases(), EVENTS, [told(5)], in_flight(6), system=system)

    assert found.verdict is Verdict.PASSED


def test_a_request_that_ends_as_another_starts_makes_room_for_it():
    spans = [Span(start_ns=0, end_ns=10), Span(start_ns=10, end_ns=20)]

    assert peak(spans) == (1, 0)
    assert peak([*spans, Span(start_ns=9, end_ns=11)]) == (2, 9)
    assert peak([]) == (0, 0)
