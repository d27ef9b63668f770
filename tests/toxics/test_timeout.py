"""Timeout, in virtual time."""

import pytest

from fault_injectors.toxics import Effect, Ending, Timeout, Toxic
from tests.toxics.virtual_line import VirtualLine


def timeout(after_s: float, toxicity: float = 1.0) -> Toxic:
    return Toxic(name="mute", behaviour=Timeout(after_s=after_s), toxicity=toxicity)


def test_data_are_dropped_and_silence_closes_the_connection():
    line = VirtualLine(timeout(0.5)).feed(100, b"x").run()

    assert line.content == b""
    assert line.ending == (600.0, Ending.CLOSED)
    assert line.effects == [("mute", Effect.DROPPED), ("mute", Effect.CUT)]
    assert line.pipe.dropped_bytes == 1


def test_the_time_runs_from_the_start_of_an_idle_connection():
    line = VirtualLine(timeout(0.5)).run()

    assert line.ending == (500.0, Ending.CLOSED)


def test_every_chunk_starts_the_time_again():
    line = VirtualLine(timeout(0.5))
    for index in range(10):
        line.feed(200 * index, b"x")

    line.run()

    assert line.ending == (2300.0, Ending.CLOSED)


def test_zero_never_closes():
    line = VirtualLine(timeout(0)).feed(0, b"x").run()

    assert line.content == b""
    assert line.ending is None


def test_an_end_passes():
    line = VirtualLine(timeout(0)).feed(0, b"x").finish(7).run()

    assert line.ending == (7.0, Ending.FINISHED)


def test_an_update_starts_the_time_again():
    line = VirtualLine(timeout(0.5)).update(400, timeout(0.3)).run()

    assert line.ending == (700.0, Ending.CLOSED)


def test_removal_closes_a_connection_that_it_acted_on():
    line = VirtualLine(timeout(0)).remove(100, "mute").feed(200, b"late").run()

    assert line.ending == (100.0, Ending.CLOSED)
    assert line.content == b""


def test_removal_leaves_a_spared_connection_alone():
    line = VirtualLine(timeout(0, toxicity=0.0)).remove(100, "mute").feed(200, b"late").run()

    assert line.ending is None
    assert line.arrivals == [(200.0, b"late")]


def test_an_update_that_spares_the_connection_closes_it_for_its_stream_has_a_hole():
    line = VirtualLine(timeout(0)).feed(0, b"x").update(100, timeout(0, toxicity=0.0)).run()

    assert line.ending == (100.0, Ending.CLOSED)


def test_a_negative_time_is_refused():
    with pytest.raises(ValueError, match="after_s="):
        Timeout(after_s=-1)
