"""What clients may ask for."""

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.batch.job_request import (
    RequestRejected,
    read_extraction_request,
    read_job_request,
)
from shadow_atlas.portal_queries.catalogue import STATES, Layer

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(STATES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["states", "layers", "state", "layer", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    states=st.permutations(STATES).flatmap(lambda p: st.integers(1, len(p)).map(lambda n: p[:n])),
    layers=st.permutations(list(Layer)).flatmap(
        lambda p: st.integers(1, len(p)).map(lambda n: p[:n])
    ),
)
def test_every_choice_of_known_names_is_accepted_in_its_order(states, layers):
    request = read_job_request({"states": list(states), "layers": [each.value for each in layers]})

    assert request.states == tuple(states)
    assert request.layers == tuple(layers)


@given(document=json_values)
def test_reading_raises_nothing_but_what_it_promises(document):
    for read in (read_job_request, read_extraction_request):
        with suppress(RequestRejected):
            assert read(document)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"states": ["ZZ"], "layers": ["county"]}, "'ZZ'"),
        ({"states": ["WI"], "layers": ["parish"]}, "'parish'"),
        ({"states": [], "layers": ["county"]}, "states"),
        ({"states": ["WI"]}, "layers"),
        ({"states": ["WI", "WI"], "layers": ["county"]}, "once"),
        ({"states": ["WI"] * 7, "layers": ["county"]}, "at most 6"),
        ({"states": "WI", "layers": ["county"]}, "states"),
        ({"states": [["WI"]], "layers": ["county"]}, "states"),
        ({"states": ["WI"], "layers": ["county"], "stats": []}, "stats"),
        (["WI"], "object"),
    ],
)
def test_a_job_that_cannot_be_meant_is_refused_with_the_reason(body, named):
    with pytest.raises(RequestRejected, match=named):
        read_job_request(body)


def test_all_problems_are_named_at_once():
    with pytest.raises(RequestRejected) as caught:
        read_job_request({"states": ["ZZ"], "layers": []}, idempotency_key="")

    assert str(caught.value).count(";") == 2


@pytest.mark.parametrize("key", ["", "x" * 129, "new\nline", "caf\u00e9"])
def test_a_key_that_is_no_identifier_is_refused(key):
    with pytest.raises(RequestRejected, match="idempotency-key"):
        read_job_request({"states": ["WI"], "layers": ["county"]}, idempotency_key=key)


def test_the_digest_tells_requests_apart_and_leaves_the_key_out():
    wanted = {"states": ["WI", "NE"], "layers": ["county"]}
    swapped = {"states": ["NE", "WI"], "layers": ["county"]}

    plain = read_job_request(wanted)

    assert read_job_request(wanted, idempotency_key="k").sha256 == plain.sha256
    assert read_job_request(swapped).sha256 != plain.sha256


@pytest.mark.parametrize(
    "body", [{}, {"state": "WI"}, {"state": ["WI"], "layer": "county"}, {"state": "WI", "x": 1}]
)
def test_an_extraction_needs_one_known_state_and_layer(body):
    with pytest.raises(RequestRejected):
        read_extraction_request(body)


def test_an_extraction_is_read():
    assert read_extraction_request({"state": "WI", "layer": "county"}) == ("WI", Layer.COUNTY)
