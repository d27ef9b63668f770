"""Reset peer, in virtual time."""

import pytest

from fault_injectors.toxics import Effect, Ending, Noop, ResetPeer, Toxic
from tests.toxics.virtual_line import VirtualLine


def reset_peer(after_s: float) -> Toxic:
    return Toxic(name="reset", behaviour=ResetPeer(after_s=after_s))


def test_the_first_data_set_it_off_and_are_dropped():
    line = VirtualLine(reset_peer(0.3)).feed(100, b"x").feed(150, b"y").run()

    assert line.content == b""
    assert line.ending == (400.0, Ending.RESET)
    assert line.effects == [("reset", Effect.RESET)]


def test_an_end_sets_it_off_too():
    line = VirtualLine(reset_peer(0)).finish(100).run()

    assert line.ending == (100.0, Ending.RESET)


def test_an_idle_connection_is_not_reset():
    line = VirtualLine(reset_peer(0)).run()

    assert line.ending is None


def test_removal_before_the_time_is_over_lets_the_data_pass_whole():
    line = VirtualLine(reset_peer(0.3)).feed(0, b"x").feed(50, b"y").remove(100, "reset").run()

    assert line.arrivals == [(100.0, b"x"), (100.0, b"y")]
    assert line.ending is None
    assert not line.pipe.resets


def test_an_update_starts_the_time_again():
    line = VirtualLine(reset_peer(0.3)).feed(0, b"x").update(100, reset_peer(0.5)).run()

    assert line.ending == (600.0, Ending.RESET)


def test_a_toxic_added_behind_does_not_let_the_data_out():
    behind = Toxic(name="behind", behaviour=Noop())
    line = VirtualLine(reset_peer(0.3)).feed(0, b"x").add(100, behind).run()

    assert line.content == b""
    assert line.ending == (400.0, Ending.RESET)


def test_a_chain_says_whether_any_end_is_a_reset():
    acting = VirtualLine(reset_peer(1))
    spared = VirtualLine(Toxic(name="reset", behaviour=ResetPeer(after_s=1), toxicity=0.0))

    assert acting.pipe.resets
    assert not spared.pipe.resets


def test_a_negative_time_is_refused():
    with pytest.raises(ValueError, match="after_s="):
        ResetPeer(after_s=-1)
