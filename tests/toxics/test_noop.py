"""Noop, in virtual time."""

from fault_injectors.toxics import Ending, Noop, Toxic
from tests.toxics.virtual_line import VirtualLine


def test_everything_passes_at_once_and_nothing_is_an_effect():
    line = VirtualLine(Toxic(name="nothing", behaviour=Noop()))

    line.feed(0, b"a").feed(5, b"b").finish(7).run()

    assert line.arrivals == [(0.0, b"a"), (5.0, b"b")]
    assert line.ending == (7.0, Ending.FINISHED)
    assert line.effects == []


def test_it_is_a_stage_with_a_draw_of_its_own():
    line = VirtualLine(Toxic(name="nothing", behaviour=Noop()))

    assert [(toxic, acts) for toxic, _, acts in line.draws] == [("nothing", True)]
