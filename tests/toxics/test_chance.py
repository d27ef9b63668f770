"""Draws are a function of what they are for, never of what was drawn before."""

from collections import Counter
from random import Random

from hypothesis import given, strategies as st

from fault_injectors.toxics import (
    Noop,
    SeededChance,
    Stream,
    Toxic,
    draw_toxicity,
    float32,
)
from tests.toxics.virtual_line import VirtualLine


def value(**changes: object) -> float:
    names: dict[str, object] = {
        "seed": 1,
        "proxy": "p",
        "connection": 2,
        "stream": Stream.UPSTREAM,
    }
    toxic = str(changes.pop("toxic", "t"))
    restart = int(str(changes.pop("restart", 0)))
    chance = SeededChance(**{**names, **changes})  # type: ignore[arg-type] # fields vary by test
    return draw_toxicity(chance.generator(toxic, restart))


def test_the_same_names_draw_the_same_value():
    assert value() == value()


def test_every_name_changes_the_draw():
    others = [
        value(seed=2),
        value(proxy="q"),
        value(connection=3),
        value(stream=Stream.DOWNSTREAM),
        value(toxic="u"),
        value(restart=1),
    ]

    assert len({value(), *others}) == 7


def test_half_a_toxicity_acts_on_about_half_of_the_connections():
    toxic = Toxic(name="t", behaviour=Noop(), toxicity=0.5)

    acted = Counter(VirtualLine(toxic, connection=n).draws[0][2] for n in range(400))

    assert 140 < acted[True] < 260  # six standard deviations of a fair coin


@given(st.integers(0, 2**64))
def test_a_draw_is_a_float32_in_the_half_open_unit_interval(seed: int):
    drawn = draw_toxicity(Random(seed))

    assert 0.0 <= drawn < 1.0
    assert float32(drawn) == drawn
