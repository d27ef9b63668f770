"""Two toxics in one direction: only latency rewrites stamps, so delays do not simply add up."""

from fault_injectors.toxics import Bandwidth, Ending, Latency, Slicer, SlowClose, Toxic
from tests.toxics.virtual_line import VirtualLine


def latency(name: str, delay_s: float) -> Toxic:
    return Toxic(name=name, behaviour=Latency(delay_s=delay_s))


BANDWIDTH_10 = Toxic(name="bandwidth", behaviour=Bandwidth(rate_bytes_per_s=10_000))
SLICER_10 = Toxic(name="slicer", behaviour=Slicer(average_size_bytes=10, delay_s=0.05))
SLOW_CLOSE = Toxic(name="slow_close", behaviour=SlowClose(delay_s=0.3))


def test_two_latencies_bunch_a_burst_at_their_sum():
    line = VirtualLine(latency("a", 0.2), latency("b", 0.2))
    for index in range(8):
        line.feed(20 * index, b"x")

    line.run()

    assert line.times_ms == [400.0] * 8


def test_two_latencies_add_up_for_single_messages():
    line = VirtualLine(latency("a", 0.2), latency("b", 0.2))
    for index in range(3):
        line.feed(300 * index, b"x")

    line.run()

    assert line.times_ms == [400.0, 700.0, 1000.0]


def test_latency_counts_the_time_spent_in_bandwidth_before_it():
    line = VirtualLine(BANDWIDTH_10, latency("a", 0.5)).feed(0, bytes(3000)).run()

    assert line.span_ms == (500.0, 500.0)
    assert len(line.content) == 3000


def test_bandwidth_behind_latency_adds_its_time():
    line = VirtualLine(latency("a", 0.5), BANDWIDTH_10).feed(0, bytes(3000)).run()

    assert line.span_ms == (600.0, 800.0)


def test_latency_counts_the_time_spent_in_a_slicer_before_it():
    line = VirtualLine(SLICER_10, latency("a", 0.3)).feed(0, bytes(80)).run()

    assert line.span_ms == (300.0, 350.0)


def test_slicer_behind_latency_adds_its_time():
    line = VirtualLine(latency("a", 0.3), SLICER_10).feed(0, bytes(80)).run()

    assert line.span_ms == (300.0, 650.0)


def test_slow_close_behind_latency_holds_the_end_after_the_data():
    line = VirtualLine(latency("a", 0.3), SLOW_CLOSE).feed(0, b"x").finish(0).run()

    assert line.times_ms == [300.0]
    assert line.ending == (600.0, Ending.FINISHED)


def test_latency_behind_slow_close_does_not_delay_the_end_again():
    line = VirtualLine(SLOW_CLOSE, latency("a", 0.3)).feed(0, b"x").finish(0).run()

    assert line.times_ms == [300.0]
    assert line.ending == (300.0, Ending.FINISHED)


def test_a_chunk_that_a_latency_picked_up_late_counts_as_read_earlier():
    line = VirtualLine(BANDWIDTH_10, latency("a", 0.04), latency("b", 0.2)).feed(0, bytes(900))

    line.run()

    # Bandwidth lets it go at 90 ms, 50 ms later than the first latency wants it: its stamp becomes
    # -50 ms, and the second latency wants it at 150 ms.
    assert line.times_ms == [150.0]
