"""Variables of the environment: typed, and all problems told at once."""

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.environment import Address, ConfigurationError, EnvironmentReader


def test_all_problems_are_listed_with_variable_expectation_and_value():
    reader = EnvironmentReader({"PORT": "http", "SCALE": "0", "DB": "localhost"})

    reader.port("PORT")
    reader.positive("SCALE", default=1.0)
    reader.address("DB")
    reader.text("NAME")

    with pytest.raises(ConfigurationError) as raised:
        reader.finish()
    assert str(raised.value).splitlines() == [
        "PORT: expected a port from 1 to 65535, got 'http'",
        "SCALE: expected a finite number above 0, got '0'",
        "DB: expected an address such as '127.0.0.1:5432', got 'localhost'",
        "NAME: expected a non-empty text, but it is not set",
    ]


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "0", "", "1s"])
def test_time_scale_must_be_a_finite_number_above_zero(text):
    reader = EnvironmentReader({"SCALE": text})

    reader.positive("SCALE", default=1.0)

    with pytest.raises(ConfigurationError, match="SCALE: expected a finite number above 0"):
        reader.finish()


@pytest.mark.parametrize("text", ["0", "65536", "-1", "eighty", ""])
def test_port_outside_tcp_is_refused(text):
    reader = EnvironmentReader({"PORT": text})

    reader.port("PORT")

    with pytest.raises(ConfigurationError, match="PORT"):
        reader.finish()


def test_defaults_stand_in_for_what_is_not_set():
    reader = EnvironmentReader({})

    values = (
        reader.text("A", default="x"),
        reader.whole("B", default=7),
        reader.positive("C", default=0.5),
        reader.optional_text("D"),
        reader.optional_path("E"),
        reader.dotted_path("F", default="a:b"),
    )

    reader.finish()
    assert values == ("x", 7, 0.5, None, None, "a:b")


def test_empty_optional_text_is_none():
    assert EnvironmentReader({"TOKEN": ""}).optional_text("TOKEN") is None


@pytest.mark.parametrize("text", ["resilience", "resilience:", ":create", "a b:c", "a:b-c"])
def test_dotted_path_needs_module_and_name(text):
    reader = EnvironmentReader({"APP": text})

    reader.dotted_path("APP", default="a:b")

    with pytest.raises(ConfigurationError, match=r"APP: expected a path such as 'package\.module"):
        reader.finish()


@given(
    host=st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True) | st.just("::1"),
    port=st.integers(1, 65535),
)
def test_address_reads_back_what_it_writes(host, port):
    address = Address(host=host, port=port)
    reader = EnvironmentReader({"DB": str(address)})

    read = reader.address("DB")

    reader.finish()
    assert read == address
