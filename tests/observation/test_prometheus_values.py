"""A page of metrics becomes values, whatever its writer made of the format."""

import math

import pytest
from hypothesis import given, strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from harness.observation.prometheus_values import SERIES_MAX, read_metrics


def test_a_page_of_the_official_client_is_read():
    registry = CollectorRegistry()
    Counter("calls", "calls", ["to", "code"], registry=registry).labels("db", "200").inc(3)
    Gauge("load", "load", registry=registry).set(1.5)
    Histogram("wait_seconds", "waits", registry=registry).observe(0.2)

    found = read_metrics(generate_latest(registry).decode())

    kept = {name: value for name, value in found.items() if "_created" not in name}
    assert kept == {
        "calls_total{code=200,to=db}": 3,
        "load": 1.5,
        "wait_seconds_count": 1,
        "wait_seconds_sum": 0.2,
    }


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("up 1", "up", 1),
        ("up\t1 1767225600000", "up", 1),
        ('a{b="c",} 2e3', "a{b=c}", 2000),
        ('a { b = "c" , d = "e" } 0.25', "a{b=c,d=e}", 0.25),
        ("a{} 4", "a", 4),
        (r'a{b="\"x\\y\nz"} 1', 'a{b="x\\y\nz}', 1),
        ('a{b="} # {"} 7', "a{b=} # {}", 7),
        ('a_total{b="c"} 5 # {trace="1"} 0.5', "a_total{b=c}", 5),
        ("a NaN", "a", "nan"),
        ("a +Inf", "a", "inf"),
        ("a -Inf", "a", "-inf"),
        ("job:errors:rate5m 0.0", "job:errors:rate5m", 0),
    ],
)
def test_each_notation_of_a_sample_is_read(line: str, name: str, value: float | str):
    assert read_metrics(f"# HELP a x\n\n{line}\n# EOF\n") == {name: value}


@pytest.mark.parametrize("line", ["<html>", "a", "a one", '{b="c"} 1', 'a{b="c} 1', "a{b=c} 1"])
def test_what_is_no_sample_is_told_with_its_line(line: str):
    with pytest.raises(ValueError, match="line 2"):
        read_metrics(f"up 1\n{line}")


def test_no_page_fills_the_history():
    page = "\n".join(f'a{{n="{number}"}} 1' for number in range(SERIES_MAX + 5))

    assert len(read_metrics(page)) == SERIES_MAX


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_every_label_and_number_that_the_official_client_writes_is_read(text: str, number: float):
    registry = CollectorRegistry()
    Gauge("g", "g", ["label"], registry=registry).labels(text).set(number)

    found = read_metrics(generate_latest(registry).decode())

    assert found == {f"g{{label={text}}}": number}
    assert math.isclose(float(found[f"g{{label={text}}}"]), number)
