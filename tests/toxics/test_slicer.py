"""Slicer, in virtual time."""

import pytest

from fault_injectors.toxics import Effect, Slicer, Toxic
from tests.toxics.virtual_line import VirtualLine


def slicer(average: int, variation: int = 0, delay_s: float = 0.0) -> Toxic:
    return Toxic(
        name="knife",
        behaviour=Slicer(
            average_size_bytes=average, size_variation_bytes=variation, delay_s=delay_s
        ),
    )


def test_without_variation_data_are_halved_down_to_the_average():
    line = VirtualLine(slicer(100)).feed(0, bytes(10_240)).run()

    assert [len(content) for _, content in line.arrivals] == [80] * 128
    assert line.effects == [("knife", Effect.SLICED)]


def test_variation_moves_the_cuts():
    content = bytes(range(256)) * 40

    line = VirtualLine(slicer(100, 50)).feed(0, content).run()

    sizes = {len(piece) for _, piece in line.arrivals}
    assert line.content == content
    assert len(sizes) > 10
    assert max(sizes) <= 150  # average + variation is one slice by the rule of the cuts


def test_each_slice_is_followed_by_the_delay():
    line = VirtualLine(slicer(10, delay_s=0.05)).feed(0, bytes(40)).feed(1, bytes(10)).run()

    assert line.times_ms == [0.0, 50.0, 100.0, 150.0, 200.0]


def test_waiting_for_the_next_stage_earns_no_credit():
    line = VirtualLine(slicer(10, delay_s=0.05)).feed(0, bytes(40)).block(10).unblock(500).run()

    assert line.times_ms == [0.0, 500.0, 550.0, 600.0]


def test_a_change_lets_the_rest_go_in_one_piece():
    line = VirtualLine(slicer(10, delay_s=0.05)).feed(0, bytes(40)).remove(60, "knife").run()

    assert [(time, len(piece)) for time, piece in line.arrivals] == [
        (0.0, 10),
        (50.0, 10),
        (60.0, 20),
    ]


def test_thousands_of_slices_do_not_keep_the_owner_from_its_turn():
    line = VirtualLine(slicer(1)).feed(0, bytes(32_768))

    line.pipe.feed(bytes(32_768), 0)

    assert len(line.arrivals) < 1000
    assert line.pipe.due_ns == 0
    assert line.run().times_ms == [0.0] * 65_536


@pytest.mark.parametrize(("average", "variation"), [(0, 0), (5, 7), (-1, 0), (10, -1)])
def test_sizes_that_kill_the_real_server_are_refused(average: int, variation: int):
    with pytest.raises(ValueError, match="size"):
        Slicer(average_size_bytes=average, size_variation_bytes=variation)


@pytest.mark.parametrize(("average", "variation"), [(0, 1), (1, 2), (1, 0), (7, 8)])
def test_the_smallest_sizes_allowed_end_the_cutting(average: int, variation: int):
    content = bytes(range(200))

    line = VirtualLine(slicer(average, variation)).feed(0, content).run()

    assert line.content == content


def test_the_delay_is_whole_microseconds_at_the_api():
    toxic = Slicer(average_size_bytes=10, delay_s=0.05)

    assert toxic.attributes() == {"average_size": 10, "size_variation": 0, "delay": 50_000}
    assert Slicer.from_attributes(toxic.attributes()) == toxic
