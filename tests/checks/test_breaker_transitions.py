import dataclasses

import pytest

from harness.checks.breaker_transitions import BreakerTransitions
from harness.model.records import BulkheadDecision, ChaosAct, RetryExhausted, ServedRequest
from harness.model.verdict import Verdict
from tests.checks.histories import (
    BATCH_WI,
    SYSTEM,
    ask,
    attempt,
    chunk,
    clocks,
    connection,
    fault,
    gap,
    moves,
    ns,
    operation,
    operations,
    phases,
    received,
    refused,
    stall,
)

CHECK = BreakerTransitions(breaker="api-server", opens_within_s=5.0, closes_within_s=35.0)
EVENTS = clocks("api", "batch", "portal_wi")

# A sound life: opens after 5 failed calls, is probed in vain at 51.3 s, closes at 82 s.
SOUND = ((21.3, "open"), (51.4, "half_open"), (51.5, "open"), (81.6, "half_open"), (82.0, "closed"))


def failing(n=5, start=20.1, link=None):
    more = {} if link is None else {"link": link}
    return [attempt(start + i / 4, f"f{i}", outcome="failed", **more) for i in range(n)]


def judged(*parts, check=CHECK, **more):
    base = (phases(), EVENTS, fault(), [connection(1.0)], [chunk(1.0)])
    return ask(check, *base, *parts, **more)


def test_a_sound_breaker_passes():
    found = judged(failing(), moves(*SOUND))

    assert found.verdict is Verdict.PASSED
    assert found.got == "opened 2 times"
    assert found.value == pytest.approx(2.0)  # closed so long after the heal


def test_a_breaker_that_never_opens_fails():
    found = judged(failing(60))

    assert found.verdict is Verdict.FAILED
    assert found.witnesses == ("never opened, although 60 calls failed in a row (at 20.000 s)",)


def test_too_few_failures_in_a_row_to_open_decide_nothing():
    found = judged(failing(7))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert not found.is_noisy
    assert "only 7 calls failed in a row: 10 would be sure" in found.reason


def test_failures_between_successes_are_not_in_a_row():
    mixed = [attempt(20.1 + i / 4, f"f{i}", outcome="failed" if i % 4 else "ok") for i in range(60)]

    assert judged(mixed).verdict is Verdict.INCONCLUSIVE


def test_a_breaker_that_opens_before_its_threshold_fails():
    found = judged(failing(3), moves(*SOUND))

    assert found.verdict is Verdict.FAILED
    assert "opened after 3 failed calls, its threshold is 5" in found.witnesses[0]


@pytest.mark.parametrize(
    "steps",
    [
        ((21.3, "open"), (51.4, "closed")),  # there is no half-open
        ((21.3, "half_open"), (21.4, "closed")),  # it was never open
    ],
)
def test_moves_that_no_breaker_makes_fail(steps):
    assert judged(failing(), moves(*steps)).verdict is Verdict.FAILED


def test_a_move_from_a_state_that_it_was_not_in_fails():
    torn = [*moves((21.3, "open")), *moves((60.0, "open"), (95.0, "half_open"))[1:]]
    torn += moves((21.3, "open"), (51.4, "half_open"), (51.5, "closed"), (60.0, "open"))[3:]

    assert judged(failing(), torn).verdict is Verdict.FAILED


def test_an_operator_may_move_a_breaker_by_hand():
    by_hand = [*moves((21.3, "open")), *moves((21.3, "open"), (30.0, "closed"), reason="reset")[1:]]

    assert judged(failing(), by_hand).verdict is Verdict.PASSED


def test_an_open_time_that_is_too_short_fails():
    found = judged(failing(), moves((21.3, "open"), (36.4, "half_open"), (36.5, "closed")))

    assert found.verdict is Verdict.FAILED
    assert "stayed open for 15.100 s of 30.000 s" in found.witnesses[0]


def test_a_stall_while_it_opens_excuses_an_open_time_that_looks_short_by_as_much():
    short = ((21.3, "open"), (51.26, "half_open"), (51.5, "closed"))  # 29.96 s on record
    writing = stall(21.31, 0.04, service="api")  # the timer ran, and the record was not written

    assert judged(failing(), moves(*short)).verdict is Verdict.FAILED
    stalled = judged(failing(), moves(*short), [writing])
    assert stalled.verdict is Verdict.INCONCLUSIVE
    assert "stayed open for 29.960 s" in stalled.witnesses[0]
    much_too_short = ((21.3, "open"), (36.4, "half_open"), (36.5, "closed"))
    assert judged(failing(), moves(*much_too_short), [writing]).verdict is Verdict.FAILED


def test_a_stall_at_another_time_excuses_no_short_open_time():
    short = ((21.3, "open"), (51.26, "half_open"), (51.5, "closed"))

    found = judged(failing(), moves(*short), [stall(51.26, 0.04, service="api")])

    assert found.verdict is Verdict.FAILED


def test_the_open_time_scales_with_the_run():
    short = ((21.3, "open"), (36.4, "half_open"), (36.5, "open"), (81.6, "half_open"))
    steps = (*short, (82.0, "closed"))

    assert judged(failing(), moves(*steps), time_scale=0.5).verdict is Verdict.PASSED


def test_opening_late_fails_unless_the_machine_stalled():
    late = ((25.7, "open"), (55.8, "half_open"), (56.0, "closed"))

    assert judged(failing(), moves(*late)).verdict is Verdict.FAILED
    stalled = judged(failing(), moves(*late), [stall(25.6, 0.5)])
    assert stalled.verdict is Verdict.INCONCLUSIVE
    assert stalled.is_noisy
    assert "stall" in stalled.reason


def test_a_small_delay_is_tolerated():
    slightly = ((25.4, "open"), (55.5, "half_open"), (56.0, "closed"))

    assert judged(failing(), moves(*slightly)).verdict is Verdict.PASSED


def test_a_breaker_that_does_not_close_again_fails():
    check = dataclasses.replace(CHECK, closes_within_s=20.0)

    found = judged(failing(), moves(*SOUND[:3]), check=check)

    assert found.verdict is Verdict.FAILED
    assert "still open" in found.witnesses[0]
    assert found.value is None


def test_a_run_that_ends_before_the_bound_decides_nothing():
    found = judged(failing(), moves(*SOUND[:3]))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "still open when the run ended" in found.witnesses[0]


def test_events_that_are_missing_decide_nothing():
    assert judged(failing(), moves(*SOUND), gap("api")).verdict is Verdict.INCONCLUSIVE
    assert ask(CHECK, phases(), fault()).verdict is Verdict.INCONCLUSIVE


def test_a_link_that_nobody_recorded_decides_nothing():
    found = ask(CHECK, phases(), EVENTS, fault(), failing(), moves(*SOUND))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "neither db nor a proxy of api -> db recorded what reached it"


def test_a_breaker_that_the_system_does_not_list_decides_nothing():
    found = judged(check=BreakerTransitions(breaker="api-sever"))

    assert found.verdict is Verdict.INCONCLUSIVE


def test_bytes_to_the_upstream_while_open_fail():
    leaks = [chunk(30.0 + i) for i in range(8)]

    found = judged(failing(), moves(*SOUND), leaks)

    assert found.verdict is Verdict.FAILED
    assert "60 bytes while the breaker was open" in found.witnesses[0]


def test_bytes_of_another_link_or_from_the_upstream_are_no_leak():
    elsewhere = [chunk(30.0 + i, proxy="batch-db") for i in range(8)]
    answers = [dataclasses.replace(chunk(30.0 + i), stream="downstream") for i in range(8)]

    assert judged(failing(), moves(*SOUND), elsewhere, answers).verdict is Verdict.PASSED


def test_bytes_alone_show_that_a_link_was_recorded():
    parts = (phases(), EVENTS, fault(), failing(), moves(*SOUND))

    assert ask(CHECK, *parts, [chunk(1.0)]).verdict is Verdict.PASSED
    assert ask(CHECK, *parts, [chunk(1.0, proxy="batch-db")]).verdict is Verdict.INCONCLUSIVE


def test_refusals_of_a_service_with_two_breakers_are_not_laid_at_one_door():
    second = dataclasses.replace(SYSTEM.breakers[0], name="other", links=(BATCH_WI,))
    system = dataclasses.replace(SYSTEM, breakers=(*SYSTEM.breakers, second))

    found = judged(failing(), moves(*SOUND), [refused(90.0, "breaker")], system=system)

    assert found.verdict is Verdict.PASSED


def test_the_upkeep_of_a_pool_is_no_leak():
    upkeep = [chunk(30.0), chunk(40.0), *(chunk(45.0 + i, size=5) for i in range(4))]

    assert judged(failing(), moves(*SOUND), upkeep).verdict is Verdict.PASSED


def test_bytes_of_a_call_that_was_under_way_are_no_leak():
    under_way = attempt(21.0, "slow", outcome="failed", took=10.0)
    its_bytes = [chunk(22.0 + i) for i in range(8)]

    assert judged(failing(), under_way, moves(*SOUND), its_bytes).verdict is Verdict.PASSED


def test_refusals_after_the_open_time_was_over_fail():
    late = [refused(55.0, "breaker"), refused(58.0, "breaker")]

    found = judged(failing(), late, moves((21.3, "open"), (60.0, "half_open"), (60.1, "closed")))

    assert found.verdict is Verdict.FAILED
    assert "refused 3.700 s after the open time was over" in found.witnesses[0]


def test_refusals_by_a_breaker_that_says_it_was_closed_fail():
    found = judged(failing(), moves(*SOUND), [refused(90.0, "breaker")])

    assert found.verdict is Verdict.FAILED
    assert "was refused by a breaker that says it was closed" in found.witnesses[0]


def test_each_process_has_a_breaker_of_its_own():
    killed = clocks("api", incarnation="2", t=40.0)
    leak_of_the_next = [chunk(45.0 + i) for i in range(8)]

    found = judged(failing(), moves((21.3, "open")), killed, leak_of_the_next)

    assert found.verdict is Verdict.PASSED


class TestUpstreamWithARecord:
    check = BreakerTransitions(breaker="portal_wi")

    def judged(self, *parts, check=check):
        life = moves(*SOUND, name="portal_wi", service="batch")
        seen = [received(20.1 + i / 4, f"f{i}", status=503) for i in range(5)]
        return ask(check, phases(), EVENTS, fault(), failing(link=BATCH_WI), life, seen, *parts)

    def test_a_sound_breaker_passes(self):
        probes = [received(51.41, "p0", took=0.05), received(81.61, "p1", took=0.05)]

        assert self.judged(probes).verdict is Verdict.PASSED

    def test_a_single_new_call_while_open_fails(self):
        found = self.judged([received(30.0, "leak")])

        assert found.verdict is Verdict.FAILED
        assert found.witnesses == (
            "leak at 30.000 s: reached portal_wi while the breaker was open (at 30.000 s)",
        )

    def test_further_attempts_of_a_call_let_in_before_are_no_leak(self):
        assert self.judged([received(22.0, "f4", number=2)]).verdict is Verdict.PASSED

    def test_a_call_that_waited_for_a_slot_when_it_opened_is_no_leak(self):
        waiting = BulkheadDecision(
            t_ns=ns(21.0),
            service="batch",
            incarnation="1",
            seq=0,
            name="jobs",
            decision="queued",
            active=5,
            queued=1,
            max_concurrent=5,
            max_queue=10,
        )

        assert self.judged(waiting, [received(22.0, "q")]).verdict is Verdict.PASSED
        later = dataclasses.replace(waiting, t_ns=ns(25.0))
        elsewhere = dataclasses.replace(waiting, service="api")
        for record in (later, elsewhere):
            assert self.judged(record, [received(22.0, "q")]).verdict is Verdict.FAILED
        two = [received(22.0, "q"), received(22.5, "r")]
        assert self.judged(waiting, two).verdict is Verdict.FAILED

    def test_a_call_that_the_service_had_begun_before_is_no_leak(self):
        served = ServedRequest(
            t_ns=ns(23),
            service="batch",
            incarnation="1",
            seq=0,
            call_id="slow",
            method="POST",
            path="/v1/extractions",
            started_ns=ns(21),
        )
        late = [received(22.0, "slow")]
        other = dataclasses.replace(served, service="api")

        assert self.judged(served, late).verdict is Verdict.PASSED
        assert self.judged(other, late).verdict is Verdict.FAILED

    def test_the_probe_that_ends_the_open_time_is_no_leak(self):
        assert self.judged([received(51.399, "probe")]).verdict is Verdict.PASSED
        assert self.judged([received(51.39, "leak")]).verdict is Verdict.FAILED

    def test_probes_just_before_the_event_that_lets_them_in_count(self):
        crowd = [received(51.399 + i / 5000, f"p{i}", took=0.05) for i in range(4)]

        assert self.judged(crowd).verdict is Verdict.FAILED

    def test_failures_that_only_the_upstream_saw_count_towards_the_threshold(self):
        life = moves(*SOUND, name="portal_wi", service="batch")
        seen = [received(20.1 + i / 4, f"u{i}", status=503) for i in range(5)]
        late = [received(90 + i / 4, f"u{i}", status=503) for i in range(5)]
        well = [attempt(1.0, "w", link=BATCH_WI)]
        base = (phases(), EVENTS, fault(), well, life)

        assert ask(self.check, *base, seen).verdict is Verdict.PASSED
        assert ask(self.check, *base, late).verdict is Verdict.FAILED

    def test_more_probes_at_once_than_allowed_fail(self):
        crowd = [received(51.41 + i / 1000, f"p{i}", took=0.05) for i in range(4)]

        found = self.judged(crowd)

        assert found.verdict is Verdict.FAILED
        assert "4 probes in flight while half-open, 3 are allowed" in found.witnesses[0]
        assert self.judged(crowd[:3]).verdict is Verdict.PASSED

    def test_the_bound_of_the_check_comes_before_that_of_the_system(self):
        crowd = [received(51.41 + i / 1000, f"p{i}", took=0.05) for i in range(3)]
        check = dataclasses.replace(self.check, half_open_at_most=2)

        assert self.judged(crowd, check=check).verdict is Verdict.FAILED


class TestSeveralBreakersOnOneLink:
    """Breakers of two states that one portal serves: nothing but the path tells them apart."""

    other = dataclasses.replace(SYSTEM.breakers[1], name="portal_wi/NE")
    system = dataclasses.replace(SYSTEM, breakers=(*SYSTEM.breakers, other))

    def judged(self, *parts, path=None):
        check = BreakerTransitions(breaker="portal_wi", path=path)
        life = moves(*SOUND, name="portal_wi", service="batch")
        seen = [received(20.1 + i / 4, f"f{i}", status=503) for i in range(5)]
        base = (phases(), EVENTS, fault(), failing(link=BATCH_WI), life, seen)
        return ask(check, *base, *parts, system=self.system)

    def test_a_request_that_may_be_of_another_is_no_leak(self):
        assert self.judged([received(30.0, "other")]).verdict is Verdict.PASSED

    def test_a_request_while_all_of_them_are_open_is_a_leak(self):
        both = moves(*SOUND, name="portal_wi/NE", service="batch")

        assert self.judged([received(30.0, "leak")], both).verdict is Verdict.FAILED

    def test_the_path_tells_whose_request_it_is(self):
        mine, others = (received(30.0, "r", path=f"/{state}/query") for state in ("WI", "NE"))

        assert self.judged([mine], path="/WI/").verdict is Verdict.FAILED
        assert self.judged([others], path="/WI/").verdict is Verdict.PASSED

    def test_probes_are_counted_by_their_path(self):
        crowd = [received(51.41 + i / 1000, f"p{i}", took=0.05, path="/WI/x") for i in range(4)]

        assert self.judged(crowd).verdict is Verdict.PASSED
        assert self.judged(crowd, path="/WI/").verdict is Verdict.FAILED
        assert self.judged(crowd, path="/NE/").verdict is Verdict.PASSED

    def test_more_failures_in_a_row_are_needed_to_be_sure(self):
        check = BreakerTransitions(breaker="portal_wi")
        base = (phases(), EVENTS, fault())

        few = ask(check, *base, failing(14, link=BATCH_WI), system=self.system)
        many = ask(check, *base, failing(15, link=BATCH_WI), system=self.system)

        assert few.verdict is Verdict.INCONCLUSIVE
        assert "15 would be sure" in few.reason
        assert many.verdict is Verdict.FAILED


def test_calls_that_fail_inside_the_service_count_towards_the_threshold():
    def act(t, call_id):
        return ChaosAct(
            t_ns=ns(t),
            service="api",
            incarnation="1",
            seq=0,
            fault="network_failure",
            call_id=call_id,
        )

    well = [attempt(t, f"w{t}") for t in (1.0, 2.0)]
    acts = [act(20.1 + i / 4, f"f{i}") for i in range(5)]

    late = [act(90.0 + i / 4, f"f{i}") for i in range(5)]

    assert judged(well, acts[:3], moves(*SOUND)).verdict is Verdict.FAILED
    assert judged(well, late, moves(*SOUND)).verdict is Verdict.FAILED
    assert judged(well, acts, moves(*SOUND)).verdict is Verdict.PASSED


def test_whatever_anybody_saw_fail_counts_towards_the_threshold():
    def exhausted(t, call_id):
        return RetryExhausted(
            t_ns=ns(t),
            service="api",
            incarnation="1",
            seq=0,
            operation="lookup",
            call_id=call_id,
            attempts=2,
        )

    well = [attempt(1.0, "w")]
    gave_up = [exhausted(20.1 + i / 4, f"f{i}") for i in range(5)]
    gave_up_later = [exhausted(90.1 + i / 4, f"f{i}") for i in range(5)]
    stale = [operation(20.1 + i / 4, source="stale_cache") for i in range(5)]

    assert judged(well, gave_up, moves(*SOUND)).verdict is Verdict.PASSED
    assert judged(well, gave_up_later, moves(*SOUND)).verdict is Verdict.FAILED
    assert judged(well, stale, moves(*SOUND)).verdict is Verdict.PASSED
    assert judged(well, operations(0, 110), moves(*SOUND)).verdict is Verdict.FAILED


def test_attempts_that_bear_the_name_of_the_breaker_tell_for_it():
    named = [
        dataclasses.replace(attempt(20.1 + i / 4, f"f{i}", outcome="failed"), link="api-server")
        for i in range(10)
    ]
    well = [attempt(20.2 + i / 4, f"w{i}") for i in range(10)]  # of another layer on the link

    assert judged(named, well).verdict is Verdict.FAILED


def test_a_breaker_that_need_not_open_passes_closed():
    check = BreakerTransitions(breaker="api-server", must_open=False)

    found = judged(failing(60), check=check)

    assert found.verdict is Verdict.PASSED
    assert found.got == "opened 0 times"


class TestNever:
    check = BreakerTransitions(breaker="api-server", never=True)

    def test_a_breaker_that_opens_fails(self):
        found = judged(operations(0, 110), moves((21.3, "open")), check=self.check)

        assert found.verdict is Verdict.FAILED
        assert found.expected == "never opens"

    def test_a_breaker_that_stays_closed_passes(self):
        assert judged(operations(0, 110), check=self.check).verdict is Verdict.PASSED

    def test_too_few_calls_decide_nothing(self):
        found = judged([operation(30.0)], check=self.check)

        assert found.verdict is Verdict.INCONCLUSIVE
        assert (found.samples, found.needed) == (1, 20)

    def test_a_breaker_that_refuses_in_secret_fails(self):
        found = judged(operations(0, 110), [refused(50, "breaker")], check=self.check)

        assert found.verdict is Verdict.FAILED

    def test_bounds_that_only_an_open_breaker_can_meet_are_refused(self):
        with pytest.raises(ValueError, match="never: excludes"):
            BreakerTransitions(breaker="api-server", never=True, closes_within_s=1.0)
