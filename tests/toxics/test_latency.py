"""Latency, in virtual time."""

import pytest

from fault_injectors.toxics import Effect, Ending, Latency, Toxic
from tests.toxics.virtual_line import VirtualLine


def latency(delay_s: float, jitter_s: float = 0.0) -> Toxic:
    return Toxic(name="slow", behaviour=Latency(delay_s=delay_s, jitter_s=jitter_s))


def test_chunks_keep_their_spacing():
    line = VirtualLine(latency(0.2))
    for index in range(4):
        line.feed(20 * index, b"x")

    line.run()

    assert line.times_ms == [200.0, 220.0, 240.0, 260.0]


def test_an_end_without_data_is_not_delayed():
    line = VirtualLine(latency(0.2)).finish(5).run()

    assert line.ending == (5.0, Ending.FINISHED)


def test_an_end_follows_the_data_before_it_at_once():
    line = VirtualLine(latency(0.2)).feed(0, b"x").finish(1).run()

    assert line.times_ms == [200.0]
    assert line.ending == (200.0, Ending.FINISHED)


def test_jitter_stays_in_its_half_open_range_and_reaches_both_ends():
    delays = set()
    for connection in range(500):
        line = VirtualLine(latency(0.02, 0.01), connection=connection).feed(0, b"x").run()
        delays.add(line.times_ms[0])

    assert delays == {float(delay) for delay in range(10, 30)}


def test_jitter_above_the_delay_leaves_a_share_undelayed():
    undelayed = 0
    for connection in range(1000):
        line = VirtualLine(latency(0.005, 0.05), connection=connection).feed(0, b"x").run()
        undelayed += line.times_ms == [0.0]

    # Of the 100 whole numbers in [-45, 54] ms, 46 are no delay; six standard deviations around.
    assert 370 < undelayed < 550


def test_jitter_bunches_and_never_reorders():
    line = VirtualLine(latency(0.05, 0.05))
    for index in range(200):
        line.feed(index, b"%03d" % index)

    line.run()

    assert line.content == b"".join(b"%03d" % index for index in range(200))
    assert line.times_ms == sorted(line.times_ms)


def test_a_delay_is_an_effect_and_no_delay_is_none():
    delayed = VirtualLine(latency(0.2)).feed(0, b"x").run()
    undelayed = VirtualLine(latency(0.0)).feed(0, b"x").run()

    assert delayed.effects == [("slow", Effect.DELAYED)]
    assert undelayed.effects == []


def test_a_full_queue_stops_the_reading():
    line = VirtualLine(latency(10))
    for _ in range(1100):
        line.feed(0, bytes(32 * 1024))

    line.run(until_ms=1)

    # 1024 waiting, one in the stage, one in the place before it, one read: the rest is not read.
    assert not line.pipe.wants_bytes
    assert line.run().content == bytes(1100 * 32 * 1024)


@pytest.mark.parametrize(
    ("delay_s", "jitter_s"), [(-0.1, 0.0), (0.1, -0.1), (float("nan"), 0.0), (0.0004, 0.0)]
)
def test_values_that_cannot_be_meant_are_refused(delay_s: float, jitter_s: float):
    with pytest.raises(ValueError, match=r"_s="):
        Latency(delay_s=delay_s, jitter_s=jitter_s)


def test_attributes_are_whole_milliseconds_and_come_back():
    toxic = Latency(delay_s=0.2504, jitter_s=0.01)

    assert toxic.attributes() == {"latency": 250, "jitter": 10}
    assert Latency.from_attributes(toxic.attributes()) == Latency(delay_s=0.25, jitter_s=0.01)
