"""Changing the chain of a live connection while a byte is held."""

import pytest

from fault_injectors.toxics import Bandwidth, Ending, Latency, LimitData, Noop, SlowClose, Toxic
from tests.toxics.virtual_line import VirtualLine


def latency(name: str, delay_s: float, toxicity: float = 1.0) -> Toxic:
    return Toxic(name=name, behaviour=Latency(delay_s=delay_s), toxicity=toxicity)


NOOP = Toxic(name="noop", behaviour=Noop())


def test_removal_releases_what_is_held_and_what_waits():
    line = VirtualLine(latency("a", 2))
    for index in range(5):
        line.feed(10 * index, b"%d" % index)

    line.remove(100, "a").run()

    assert line.arrivals == [(100.0, b"%d" % index) for index in range(5)]


def test_an_update_releases_what_is_held_and_delays_the_rest_from_its_own_stamp():
    line = VirtualLine(latency("a", 1.5)).feed(0, b"held").feed(50, b"waiting")

    line.update(100, latency("a", 0.4)).run()

    assert line.arrivals == [(100.0, b"held"), (450.0, b"waiting")]


def test_a_toxic_added_behind_lets_what_is_held_go_past_it():
    line = VirtualLine(latency("a", 1.5)).feed(0, b"held").add(100, latency("b", 1)).run()

    assert line.arrivals == [(100.0, b"held")]


def test_an_update_of_an_earlier_toxic_leaves_what_is_held_alone():
    line = VirtualLine(NOOP, latency("a", 1.5)).feed(0, b"held").update(100, NOOP).run()

    assert line.arrivals == [(1500.0, b"held")]


def test_removing_an_earlier_toxic_leaves_what_is_held_alone():
    line = VirtualLine(NOOP, latency("a", 1.5)).feed(0, b"held").remove(100, "noop").run()

    assert line.arrivals == [(1500.0, b"held")]


def test_removing_the_next_toxic_releases_what_is_held():
    line = VirtualLine(latency("a", 1.5), NOOP).feed(0, b"held").remove(100, "noop").run()

    assert line.arrivals == [(100.0, b"held")]


def test_bandwidth_sends_the_rest_of_a_chunk_when_it_is_changed():
    narrow = Toxic(name="narrow", behaviour=Bandwidth(rate_bytes_per_s=10_000))
    line = VirtualLine(narrow).feed(0, bytes(3000)).update(150, narrow).run()

    assert [(time, len(piece)) for time, piece in line.arrivals] == [(100.0, 1000), (150.0, 2000)]


def test_removal_of_a_full_chain_under_back_pressure_drops_nothing():
    content = bytes(range(256)) * 2000
    line = VirtualLine(latency("a", 0.05), NOOP).block(0).feed(1, content)

    line.remove(200, "a").remove(201, "noop").unblock(300).run()

    assert line.content == content


def test_a_stage_that_is_handing_over_passes_its_chunk_to_its_new_successor():
    line = VirtualLine(NOOP).block(0).feed(1, b"x").add(2, latency("a", 0.5)).unblock(10).run()

    assert line.arrivals == [(501.0, b"x")]


def test_the_added_toxic_and_the_one_before_it_draw_again():
    line = VirtualLine(latency("a", 0), latency("b", 0))
    line.draws.clear()

    line.add(1, latency("c", 0)).run()

    assert sorted(toxic for toxic, _, _ in line.draws) == ["b", "c"]


def test_an_update_draws_again_for_that_toxic_only():
    line = VirtualLine(latency("a", 0), latency("b", 0))
    before = {toxic: value for toxic, value, _ in line.draws}
    line.draws.clear()

    line.update(1, latency("a", 0)).run()

    [(toxic, value, _)] = line.draws
    assert toxic == "a"
    assert value != before["a"]


def test_a_removal_draws_again_for_the_one_before_it():
    line = VirtualLine(latency("a", 0), latency("b", 0))
    line.draws.clear()

    line.remove(1, "b").run()

    assert [toxic for toxic, _, _ in line.draws] == ["a"]


def test_nothing_can_be_changed_once_the_link_has_ended():
    line = VirtualLine(latency("a", 0)).finish(0).run()

    line.add(1, NOOP).update(2, latency("a", 1)).remove(3, "a").feed(4, b"late").run()

    assert line.ending == (0.0, Ending.FINISHED)
    assert line.content == b""


def test_a_toxic_added_behind_a_closed_one_does_not_open_the_link_again():
    slow = latency("a", 0.5)
    line = VirtualLine(NOOP, slow).feed(0, b"x").finish(0)

    line.remove(100, "noop").add(200, NOOP).run()

    assert line.content == b"x"
    assert line.ending is not None


def test_a_toxic_that_closed_the_link_can_be_changed_while_its_end_is_held():
    limit = Toxic(name="limit", behaviour=LimitData(size_bytes=3))
    raised = Toxic(name="limit", behaviour=LimitData(size_bytes=9))
    line = VirtualLine(limit, Toxic(name="lingering", behaviour=SlowClose(delay_s=0.3)))

    line.feed(0, b"abcdef").update(100, raised).remove(200, "limit").feed(250, b"late").run()

    assert line.content == b"abc"
    assert line.ending == (300.0, Ending.CLOSED)


def test_nothing_more_is_read_once_a_toxic_has_closed_the_link():
    limit = Toxic(name="limit", behaviour=LimitData(size_bytes=3))
    line = VirtualLine(limit, Toxic(name="lingering", behaviour=SlowClose(delay_s=0.3)))

    line.feed(0, b"abcdef").feed(50, bytes(200_000)).run(until_ms=100)

    assert not line.pipe.wants_bytes


def test_a_toxic_added_behind_keeps_the_order_of_what_was_being_handed_over():
    narrow = Toxic(name="narrow", behaviour=Bandwidth(rate_bytes_per_s=1_000))
    content = bytes(range(250))
    line = VirtualLine(narrow).block(0).feed(0, content)

    line.add(150, NOOP).unblock(200).run()

    assert line.content == content


def test_an_update_while_handing_over_keeps_the_order():
    narrow = Toxic(name="narrow", behaviour=Bandwidth(rate_bytes_per_s=1_000))
    content = bytes(range(250))
    line = VirtualLine(narrow).block(0).feed(0, content)

    line.update(150, narrow).unblock(200).run()

    assert line.content == content


def test_an_unknown_toxic_cannot_be_changed():
    line = VirtualLine()

    with pytest.raises(LookupError, match="no toxic 'a'"):
        line.pipe.remove("a", 0)
