"""The catalogue of types, and the values of toxics."""

import pytest

from fault_injectors.toxics import (
    BEHAVIOURS,
    Bandwidth,
    Behaviour,
    Latency,
    LimitData,
    Noop,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
    behaviour_from,
)

ONE_OF_EACH: tuple[Behaviour, ...] = (
    Latency(delay_s=0.2, jitter_s=0.02),
    Bandwidth(rate_bytes_per_s=50_000),
    SlowClose(delay_s=0.3),
    Timeout(after_s=0.5),
    ResetPeer(after_s=0.25),
    Slicer(average_size_bytes=100, size_variation_bytes=20, delay_s=0.001),
    LimitData(size_bytes=4096),
    Noop(),
)


def test_there_is_an_example_of_every_type():
    assert {type(each) for each in ONE_OF_EACH} == set(BEHAVIOURS)


@pytest.mark.parametrize("behaviour", ONE_OF_EACH, ids=lambda each: each.toxic_type)
def test_attributes_and_back_is_the_identity(behaviour: Behaviour):
    attributes = behaviour.attributes()

    assert behaviour_from(behaviour.toxic_type, attributes) == behaviour
    assert tuple(attributes) == behaviour.attribute_names
    assert all(type(value) is int for value in attributes.values())


def test_an_unknown_type_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'bandwidth'"):
        behaviour_from("bandwith", {})


def test_an_unknown_attribute_names_the_nearest():
    with pytest.raises(ValueError, match="has no attribute 'latncy'; did you mean 'latency'"):
        behaviour_from("latency", {"latncy": 1})


def test_an_attribute_of_a_type_without_any_is_refused():
    with pytest.raises(ValueError, match="it has none"):
        behaviour_from("noop", {"delay": 1})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_names_that_no_path_can_address_are_refused(name: str):
    with pytest.raises(ValueError, match="name="):
        Toxic(name=name, behaviour=Noop())


@pytest.mark.parametrize("toxicity", [-0.1, 1.1, float("nan")])
def test_a_toxicity_is_a_probability(toxicity: float):
    with pytest.raises(ValueError, match="toxicity="):
        Toxic(name="t", behaviour=Noop(), toxicity=toxicity)
