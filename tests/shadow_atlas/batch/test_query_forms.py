"""Query forms and paging, without any input or output."""

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.errors import UpstreamRefused, UpstreamStatus
from shadow_atlas.portal_queries.catalogue import PORTALS, STATES, TIGER, Form, Layer, has_layer
from shadow_atlas.portal_queries.malformed import MalformedAnswer
from shadow_atlas.portal_queries.page_walk import PAGES_MAX, PageWalk
from shadow_atlas.portal_queries.query_forms import Page, query_form

ARCGIS_FORMS = [Form.ARCGIS_FEATURE_SERVER, Form.ARCGIS_MAP_SERVER, Form.TIGERWEB]


@pytest.mark.parametrize(
    ("form", "state", "path", "filtered"),
    [
        (
            Form.ARCGIS_FEATURE_SERVER,
            "WI",
            "/arcgis/rest/services/WI/county/FeatureServer/0/query",
            ("where", "1=1"),
        ),
        (
            Form.ARCGIS_MAP_SERVER,
            "CO",
            "/arcgis/rest/services/CO/county/MapServer/0/query",
            ("where", "1=1"),
        ),
        (
            Form.TIGERWEB,
            "CT",
            "/arcgis/rest/services/TIGERweb/State_County/MapServer/1/query",
            ("where", "STATE='09'"),
        ),
        (Form.SOCRATA, "NY", "/resource/atls-cnty.geojson", ("$where", "state='NY'")),
    ],
)
def test_each_form_names_state_and_layer_in_its_own_way(form, state, path, filtered):
    query = query_form(form).query(state=state, layer=Layer.COUNTY, offset=20, page_size=10)

    assert query.path == path
    assert filtered in query.params


@pytest.mark.parametrize("form", ARCGIS_FORMS)
def test_arcgis_pages_are_ordered_and_in_geographic_coordinates(form):
    query = query_form(form).query(state="WI", layer=Layer.COUNTY, offset=20, page_size=10)

    params = dict(query.params)
    assert params["resultOffset"] == "20"
    assert params["resultRecordCount"] == "10"
    assert params["orderByFields"] == "OBJECTID"
    assert (params["f"], params["outSR"]) == ("geojson", "4326")


def test_socrata_pages_are_ordered():
    query = query_form(Form.SOCRATA).query(state="NY", layer=Layer.COUNTY, offset=20, page_size=10)

    params = dict(query.params)
    assert (params["$offset"], params["$limit"], params["$order"]) == ("20", "10", ":id")


@pytest.mark.parametrize("form", ARCGIS_FORMS)
@pytest.mark.parametrize(
    "mark", [{"exceededTransferLimit": True}, {"properties": {"exceededTransferLimit": True}}]
)
def test_arcgis_marks_a_page_that_has_a_successor_in_either_place(form, mark):
    document = {"type": "FeatureCollection", "features": [{}], **mark}

    assert query_form(form).read_page(document, page_size=10).has_more


@pytest.mark.parametrize("form", ARCGIS_FORMS)
@pytest.mark.parametrize("mark", [{}, {"exceededTransferLimit": False}, {"properties": None}])
def test_arcgis_ends_with_the_page_that_is_not_marked_however_full_it_is(form, mark):
    document = {"type": "FeatureCollection", "features": [{}] * 10, **mark}

    assert not query_form(form).read_page(document, page_size=10).has_more


@pytest.mark.parametrize(("length", "has_more"), [(0, False), (9, False), (10, True)])
def test_socrata_ends_with_the_page_that_is_not_full(length, has_more):
    document = {"type": "FeatureCollection", "features": [{}] * length}

    assert query_form(Form.SOCRATA).read_page(document, page_size=10).has_more is has_more


@pytest.mark.parametrize("form", ARCGIS_FORMS)
@pytest.mark.parametrize(
    ("code", "kind"), [(400, UpstreamRefused), (498, UpstreamRefused), (500, UpstreamStatus)]
)
def test_an_arcgis_error_inside_an_answer_has_its_status(form, code, kind):
    document = {"error": {"code": code, "message": "m" * 1000, "details": []}}

    with pytest.raises(UpstreamStatus, match=f"error {code} inside an answer") as caught:
        query_form(form).read_page(document, page_size=10)

    assert type(caught.value) is kind
    assert caught.value.status == code
    assert len(str(caught.value)) < 300


def test_a_socrata_error_inside_an_answer_is_a_refusal():
    document = {"error": True, "code": "query.compiler.malformed", "message": "no"}

    with pytest.raises(UpstreamRefused, match=r"query\.compiler\.malformed"):
        query_form(Form.SOCRATA).read_page(document, page_size=10)


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        7,
        {},
        {"type": "Feature"},
        {"type": "FeatureCollection"},
        {"type": "FeatureCollection", "features": {}},
    ],
)
def test_an_answer_that_is_no_feature_collection_is_malformed(form, document):
    with pytest.raises(MalformedAnswer):
        query_form(form).read_page(document, page_size=10)


@pytest.mark.parametrize("error", ["down", None, {}, {"code": "500"}, {"code": True}])
def test_an_arcgis_error_without_a_code_is_malformed(error):
    with pytest.raises(MalformedAnswer, match="without a code"):
        query_form(Form.TIGERWEB).read_page({"error": error}, page_size=10)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "features", "error", "code", "properties", "message", "x"]),
            inner | st.just("FeatureCollection"),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(document=json_values, form=st.sampled_from(list(Form)))
def test_reading_a_page_raises_nothing_but_what_it_promises(document, form):
    try:
        page = query_form(form).read_page(document, page_size=10)
    except (UpstreamStatus, MalformedAnswer):
        return
    assert isinstance(page.features, tuple)


@given(
    total=st.integers(min_value=0, max_value=300), page_size=st.integers(min_value=1, max_value=50)
)
def test_a_walk_collects_every_feature_once_and_in_order(total, page_size):
    walk = PageWalk()
    features = list(range(total))

    while not walk.is_complete:
        chosen = tuple(features[walk.offset : walk.offset + page_size])
        walk.add(Page(features=chosen, has_more=walk.offset + len(chosen) < total))

    assert walk.features == features


def test_an_empty_page_that_announces_another_one_ends_the_walk():
    walk = PageWalk()
    walk.add(Page(features=(1,), has_more=True))

    with pytest.raises(MalformedAnswer, match="page 2 is empty"):
        walk.add(Page(features=(), has_more=True))


def test_a_portal_that_never_ends_is_given_up():
    walk = PageWalk()
    endless = Page(features=(1,), has_more=True)
    for _ in range(PAGES_MAX - 1):
        walk.add(endless)

    with pytest.raises(MalformedAnswer, match=f"more than {PAGES_MAX} pages"):
        walk.add(endless)


def test_every_state_has_one_portal_and_tigerweb_has_them_all():
    served = [state for portal in PORTALS for state in portal.states]

    assert sorted(served) == sorted(set(served)) == sorted(STATES)
    assert set(TIGER.states) == set(served)


def test_only_a_second_chamber_is_ever_missing():
    missing = {(state, layer) for state in STATES for layer in Layer if not has_layer(state, layer)}

    assert missing == {("NE", Layer.STATE_HOUSE), ("DC", Layer.STATE_HOUSE)}
