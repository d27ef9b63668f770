"""A breaker under any order of admissions, outcomes, pauses and interventions."""

import dataclasses
import itertools

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from resilience import BreakerConfig, BreakerState, CircuitBreaker, CircuitOpen, EventKind
from tests.resilience.virtual_time import ManualClock

LEGAL = {
    ("closed", "open", "failure_threshold"),
    ("open", "half_open", "open_duration_elapsed"),
    ("half_open", "closed", "probes_succeeded"),
    ("half_open", "open", "probe_failed"),
    ("open", "closed", "reset"),
    ("half_open", "closed", "reset"),
}
TRANSITIONS = {EventKind.CIRCUIT_OPENED, EventKind.CIRCUIT_CLOSED, EventKind.CIRCUIT_HALF_OPEN}


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.events = []
        config = BreakerConfig(
            failure_threshold=2, success_threshold=2, open_duration_s=10.0, half_open_max_calls=2
        )
        self.breaker = CircuitBreaker("b", config, clock=self.clock, listener=self.events.append)
        self.permits = []
        self.shortest_wait_s = 0.0

    @rule(seconds=st.sampled_from([0.5, 4.0, 10.0, 30.0]))
    def wait(self, seconds):
        self.clock.now_s += seconds

    @rule()
    def admit(self):
        state, full = self.breaker.state, self.breaker.snapshot().probes_in_flight
        try:
            self.permits.append(self.breaker.admit())
        except CircuitOpen as refusal:
            assert state is BreakerState.OPEN or full >= 2
            remaining_s = refusal.retry_after_s
            self.shortest_wait_s = min(self.shortest_wait_s, remaining_s)
        else:
            assert state is not BreakerState.OPEN

    @precondition(lambda self: self.permits)
    @rule(draw=st.data(), outcome=st.sampled_from(["ok", "failed", "abandoned"]))
    def end_call(self, draw, outcome):
        permit = self.permits.pop(draw.draw(st.integers(0, len(self.permits) - 1)))
        before = self.breaker.snapshot()
        if outcome == "ok":
            self.breaker.record_success(permit)
        elif outcome == "failed":
            self.breaker.record_error(permit, ConnectionResetError())
        else:
            self.breaker.abandon(permit)
        after = self.breaker.snapshot()
        if outcome == "abandoned":
            assert after.generation == before.generation
        elif permit.generation != before.generation:
            assert after == dataclasses.replace(before, late=before.late + 1)

    @rule()
    def reset(self):
        self.breaker.reset()
        assert self.breaker.state is BreakerState.CLOSED

    @invariant()
    def nobody_is_asked_to_come_back_in_the_past(self):
        assert self.shortest_wait_s >= 0.0

    @invariant()
    def probes_are_bounded(self):
        assert self.breaker.snapshot().probes_in_flight <= 2

    @invariant()
    def moves_are_legal_and_generations_rise(self):
        moves = [each.fields for each in self.events if each.kind in TRANSITIONS]
        for move in moves:
            assert (move["from_state"], move["to_state"], move["reason"]) in LEGAL
        for earlier, later in itertools.pairwise(moves):
            assert earlier["to_state"] == later["from_state"]
            assert earlier["generation"] < later["generation"]

    @invariant()
    def open_time_is_respected(self):
        moves = [each for each in self.events if each.kind in TRANSITIONS]
        for earlier, later in itertools.pairwise(moves):
            if later.fields["reason"] == "open_duration_elapsed":
                assert later.time_s - earlier.time_s >= 10.0


TestBreakerMachine = pytest.mark.slow(BreakerMachine.TestCase)
TestBreakerMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
