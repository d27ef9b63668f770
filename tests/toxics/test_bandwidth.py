"""Bandwidth, in virtual time."""

import pytest

from fault_injectors.toxics import Bandwidth, Effect, Ending, Toxic
from tests.toxics.virtual_line import VirtualLine


def bandwidth(rate_bytes_per_s: float) -> Toxic:
    return Toxic(name="narrow", behaviour=Bandwidth(rate_bytes_per_s=rate_bytes_per_s))


def test_a_chunk_leaves_in_pieces_each_after_its_transmission_time():
    line = VirtualLine(bandwidth(100_000)).feed(0, bytes(32_768)).run()

    assert [(time, len(content)) for time, content in line.arrivals] == [
        (100.0, 10_000),
        (200.0, 10_000),
        (300.0, 10_000),
        (327.68, 2_768),
    ]


def test_a_long_transfer_takes_its_bytes_over_its_rate():
    line = VirtualLine(bandwidth(100_000)).feed(0, bytes(300_000)).run()

    assert line.times_ms[-1] == pytest.approx(3000.0, abs=1e-3)
    assert len(line.content) == 300_000


def test_a_small_message_takes_its_own_time():
    line = VirtualLine(bandwidth(10_000)).feed(0, bytes(100)).run()

    assert line.times_ms == [10.0]


def test_idling_earns_no_credit():
    line = VirtualLine(bandwidth(10_000)).feed(0, bytes(100)).feed(1010, bytes(1000)).run()

    assert line.times_ms == [10.0, 1110.0]


def test_a_rate_of_zero_holds_data_until_the_toxic_is_removed():
    line = VirtualLine(bandwidth(0)).feed(0, b"held").finish(1)

    line.run(until_ms=100_000)
    assert line.arrivals == []
    assert line.ending is None

    line.remove(200_000, "narrow").run()
    assert line.arrivals == [(200_000.0, b"held")]
    assert line.ending == (200_000.0, Ending.FINISHED)


def test_an_end_waits_for_all_bytes_before_it():
    line = VirtualLine(bandwidth(10_000)).feed(0, bytes(3000)).finish(0).run()

    assert line.ending == (300.0, Ending.FINISHED)
    assert len(line.content) == 3000


def test_two_chunks_pay_one_after_the_other():
    line = VirtualLine(bandwidth(10_000)).feed(0, bytes(500)).feed(10, bytes(500)).run()

    assert line.times_ms == [50.0, 100.0]


def test_throttling_is_an_effect():
    line = VirtualLine(bandwidth(10_000)).feed(0, b"x").run()

    assert line.effects == [("narrow", Effect.THROTTLED)]


@pytest.mark.parametrize("rate_bytes_per_s", [-1.0, 400.0, float("inf"), 1e21])
def test_rates_that_cannot_be_meant_are_refused(rate_bytes_per_s: float):
    with pytest.raises(ValueError, match="rate_bytes_per_s="):
        Bandwidth(rate_bytes_per_s=rate_bytes_per_s)


def test_attributes_are_whole_kilobytes_per_second_and_come_back():
    assert Bandwidth(rate_bytes_per_s=12_400).attributes() == {"rate": 12}
    assert Bandwidth.from_attributes({"rate": 12}) == Bandwidth(rate_bytes_per_s=12_000)
