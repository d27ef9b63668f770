"""Limit data, in virtual time."""

import pytest

from fault_injectors.toxics import Effect, Ending, LimitData, Toxic
from tests.toxics.virtual_line import VirtualLine


def limit(size_bytes: int, toxicity: float = 1.0) -> Toxic:
    return Toxic(name="cut", behaviour=LimitData(size_bytes=size_bytes), toxicity=toxicity)


def test_the_last_chunk_is_cut_and_the_connection_closed():
    line = VirtualLine(limit(5)).feed(0, b"abc").feed(10, b"defgh").run()

    assert line.arrivals == [(0.0, b"abc"), (10.0, b"de")]
    assert line.ending == (10.0, Ending.CLOSED)
    assert line.effects == [("cut", Effect.CUT)]


def test_a_limit_met_exactly_closes_at_once():
    line = VirtualLine(limit(3)).feed(0, b"abc").run()

    assert line.arrivals == [(0.0, b"abc")]
    assert line.ending == (0.0, Ending.CLOSED)


def test_zero_closes_on_the_first_data_and_not_before():
    line = VirtualLine(limit(0)).feed(50, b"a").run()

    assert line.content == b""
    assert line.ending == (50.0, Ending.CLOSED)


def test_a_raised_limit_counts_what_passed():
    line = VirtualLine(limit(5)).feed(0, b"abc").update(1, limit(8)).feed(2, b"defghijk").run()

    assert line.content == b"abcdefgh"


def test_a_limit_lowered_below_the_count_closes_on_the_next_data():
    line = VirtualLine(limit(5)).feed(0, b"abc").update(1, limit(2)).feed(9, b"d").run()

    assert line.content == b"abc"
    assert line.ending == (9.0, Ending.CLOSED)


def test_bytes_passed_while_spared_do_not_count():
    line = VirtualLine(limit(5, toxicity=0.0)).feed(0, b"abcdefgh").update(1, limit(5))

    line.feed(2, b"ijklmnop").run()

    assert line.content == b"abcdefghijklm"


def test_an_end_before_the_limit_passes():
    line = VirtualLine(limit(5)).feed(0, b"abc").finish(1).run()

    assert line.ending == (1.0, Ending.FINISHED)


def test_a_limit_raised_while_its_last_bytes_wait_lets_the_rest_pass_without_a_hole():
    line = VirtualLine(limit(2)).block(0).feed(1, b"abcd").update(2, limit(9)).unblock(3).run()

    assert line.content == b"abcd"
    assert line.ending is None


@pytest.mark.parametrize("size_bytes", [-1, 1.5, True])
def test_sizes_that_are_no_whole_number_of_bytes_are_refused(size_bytes: int):
    with pytest.raises(ValueError, match="size_bytes="):
        LimitData(size_bytes=size_bytes)
