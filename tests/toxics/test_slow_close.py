"""Slow close, in virtual time."""

import pytest

from fault_injectors.toxics import Effect, Ending, SlowClose, Toxic
from tests.toxics.virtual_line import VirtualLine


def slow_close(delay_s: float) -> Toxic:
    return Toxic(name="lingering", behaviour=SlowClose(delay_s=delay_s))


def test_data_pass_untouched_and_the_end_is_held():
    line = VirtualLine(slow_close(0.3)).feed(0, b"x").finish(10).run()

    assert line.times_ms == [0.0]
    assert line.ending == (310.0, Ending.FINISHED)
    assert line.effects == [("lingering", Effect.HELD_CLOSE)]


def test_removal_lets_a_held_end_go_at_once():
    line = VirtualLine(slow_close(0.3)).finish(0).remove(100, "lingering").run()

    assert line.ending == (100.0, Ending.FINISHED)


def test_an_update_starts_a_full_new_delay():
    line = VirtualLine(slow_close(0.3)).finish(0).update(100, slow_close(0.5)).run()

    assert line.ending == (600.0, Ending.FINISHED)


def test_a_toxic_added_behind_starts_a_full_new_delay():
    behind = Toxic(name="behind", behaviour=SlowClose(delay_s=0.1))
    line = VirtualLine(slow_close(0.3)).finish(0).add(100, behind).run()

    assert line.ending == (500.0, Ending.FINISHED)


def test_a_negative_delay_is_refused():
    with pytest.raises(ValueError, match="delay_s="):
        SlowClose(delay_s=-1)
