"""Quantities: units are required, and what is written means exactly what is read."""

import pytest
from hypothesis import given, strategies as st

from harness.model.fields import Kind
from harness.scenario_files.quantities import BYTE_RATE, NOTATIONS, read_ratio

DURATION, RATE = NOTATIONS[Kind.DURATION], NOTATIONS[Kind.RATE]
SIZE, RATIO = NOTATIONS[Kind.SIZE], NOTATIONS[Kind.RATIO]


@pytest.mark.parametrize("notation", [DURATION, RATE, RATIO, BYTE_RATE], ids=lambda n: n.base)
@given(value=st.floats(min_value=1e-9, max_value=1e12))
def test_reading_what_was_written_gives_the_same_float(notation, value):
    assert notation.read(notation.write(value)) == value


@given(value=st.integers(0, 10**13))
def test_sizes_are_exact_whole_numbers(value):
    text = SIZE.write(value)

    assert SIZE.read(text) == value
    assert isinstance(SIZE.read(text), int)


@given(value=st.floats(min_value=-1e9, max_value=-1e-9))
def test_a_duration_may_be_negative(value):
    assert DURATION.read(DURATION.write(value)) == value


@given(number=st.integers(1, 10_000), unit=st.sampled_from(["us", "ms", "s", "min", "h"]))
def test_a_duration_is_written_as_a_whole_number_if_a_unit_allows_it(number, unit):
    text = DURATION.write(DURATION.read(f"{number}{unit}"))

    assert "." not in text


@pytest.mark.parametrize(
    ("notation", "text", "value"),
    [
        (DURATION, "250us", 0.00025),
        (DURATION, "800ms", 0.8),
        (DURATION, "1.5s", 1.5),
        (DURATION, "5min", 300.0),
        (DURATION, "1h", 3600.0),
        (DURATION, "-1h", -3600.0),
        (DURATION, "0s", 0.0),
        (RATE, "50/s", 50.0),
        (RATE, "30/min", 0.5),
        (RATE, "36/h", 0.01),
        (SIZE, "0B", 0),
        (SIZE, "64KiB", 65_536),
        (SIZE, "10MB", 10_000_000),
        (SIZE, "0.5KiB", 512),
        (BYTE_RATE, "64KiB/s", 65_536.0),
        (RATIO, "99.9%", 0.999),
    ],
)
def test_units_mean_what_they_say(notation, text, value):
    assert notation.read(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("20", "20 what?"),
        ("20 s", "write 's' right behind the number"),
        ("20S", "no unit 'S'; expected 'us', 'ms', 's', 'min' or 'h'; did you mean 's'?"),
        ("20sec", "no unit 'sec'; expected 'us', 'ms', 's', 'min' or 'h'; did you mean 's'?"),
        ("20 parsec", "no unit ' parsec'; expected 'us', 'ms', 's', 'min' or 'h'"),
        ("1h30min", "no unit 'h30min'; expected 'us', 'ms', 's', 'min' or 'h'"),
        ("soon", ""),
        ("", ""),
        ("1e3s", "no unit 'e3s'; expected 'us', 'ms', 's', 'min' or 'h'"),
        ("+5s", ""),
        ("9999999999999999s", "no unit '9s'; expected 'us', 'ms', 's', 'min' or 'h'"),
    ],
)
def test_a_duration_in_another_notation_is_refused_with_the_reason(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared below
        DURATION.read(text)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "ratio"), [("99%", 0.99), ("0.99", 0.99), ("1.0", 1.0), ("0", 0.0), ("100%", 1.0)]
)
def test_a_ratio_is_a_percentage_or_a_decimal(text, ratio):
    assert read_ratio(text) == ratio


@pytest.mark.parametrize("text", ["1", "99", "-1"])
def test_a_whole_number_is_no_ratio_because_it_could_be_a_percentage(text):
    with pytest.raises(ValueError, match=f"write '{text}%' if that is meant"):
        read_ratio(text)


def test_a_value_that_no_text_means_exactly_is_refused():
    with pytest.raises(ValueError, match=r"1e-99 cannot be written as a duration"):
        DURATION.write(1e-99)
