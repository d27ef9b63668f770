"""Scripts: what is accepted, what is refused, and on which requests they act."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.stand_ins.script_book import SCRIPTS_MAX, Asked, ScriptBook
from shadow_atlas.stand_ins.script_documents import ScriptRejected, read_script, script_document
from shadow_atlas.stand_ins.scripts import Match, Script, What, When

STATES = ("WI", "NE")
LAYERS = ("county", "congressional")

matches = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(STATES),
        "layer": st.sampled_from(LAYERS),
        "path": st.text(min_size=1, max_size=5),
    },
)
whens = st.one_of(
    st.just({}),
    st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=3).map(
        lambda numbers: {"attempts": numbers}
    ),
    st.floats(min_value=0, max_value=1).map(lambda share: {"probability": share}),
    st.integers(min_value=1, max_value=9).map(lambda count: {"first": count}),
)
delays = st.floats(min_value=0, max_value=600)
whats = st.one_of(
    st.floats(min_value=0.001, max_value=600).map(lambda delay: {"latency_s": delay}),
    st.fixed_dictionaries(
        {"status": st.integers(min_value=200, max_value=599)},
        optional={
            "latency_s": delays,
            "retry_after_s": delays,
            "retry_after_form": st.sampled_from(["seconds", "http_date"]),
        },
    ),
    st.sampled_from(
        ["malformed", "truncated", "empty", "error_in_200", "oversize", "wrong_type"]
    ).map(lambda body: {"body": body}),
    st.floats(min_value=0.1, max_value=1e6).map(
        lambda speed: {"body": "trickle", "bytes_per_s": speed}
    ),
    st.just({"hang": True}),
    st.integers(min_value=1, max_value=500).map(lambda size: {"page_size": size}),
    st.sampled_from(["before", "mid", "after"]).map(lambda when: {"close": when}),
)


def _read(document: object) -> Script:
    return read_script(document, states=STATES, layers=LAYERS)


@given(match=matches, when=whens, what=whats)
def test_every_script_that_can_be_meant_is_read_and_written_back(match, when, what):
    script = _read({"name": "any", "match": match, **when, **what})

    assert _read(script_document(script)) == script


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "expected a JSON object"),
        ({"latency_s": 1}, "name: expected a text"),
        ({"name": "a b", "hang": True}, "without slash, comma or space"),
        ({"name": "x"}, "nothing to do"),
        ({"name": "x", "latncy_s": 1}, "did you mean 'latency_s'"),
        ({"name": "x", "match": {"stat": "WI"}, "hang": True}, "'match.stat'"),
        ({"name": "x", "match": [], "hang": True}, "match: expected an object"),
        ({"name": "x", "match": {"state": "CO"}, "hang": True}, "match.state: expected one of WI"),
        ({"name": "x", "match": {"layer": "ward"}, "hang": True}, "match.layer: expected one of"),
        ({"name": "x", "latency_s": "1s"}, "latency_s: expected a number"),
        ({"name": "x", "latency_s": True}, "latency_s: expected a number"),
        ({"name": "x", "latency_s": -1}, r"latency_s=-1.0 must be in"),
        ({"name": "x", "latency_s": 601}, r"latency_s=601.0 must be in"),
        ({"name": "x", "status": 99}, r"status=99 must be in"),
        ({"name": "x", "status": 503.0}, "status: expected a whole number"),
        ({"name": "x", "status": 503, "retry_after_s": -1}, "retry_after_s=-1.0"),
        ({"name": "x", "latency_s": 1, "retry_after_s": 1}, "retry_after_s needs a status"),
        ({"name": "x", "body": "garbled"}, "body: expected one of malformed"),
        ({"name": "x", "body": "trickle"}, "need each other"),
        ({"name": "x", "status": 503, "bytes_per_s": 9}, "need each other"),
        ({"name": "x", "body": "trickle", "bytes_per_s": 0}, "bytes_per_s=0.0"),
        ({"name": "x", "body": "oversize", "size_bytes": 2**40}, "size_bytes="),
        ({"name": "x", "hang": True, "status": 503}, "hang leaves no answer"),
        ({"name": "x", "close": "before", "status": 503}, "close='before' leaves no answer"),
        ({"name": "x", "close": "late"}, "close: expected one of before, mid, after"),
        ({"name": "x", "page_size": 0}, "page_size=0"),
        ({"name": "x", "page_size": 5, "status": 503}, "status contradicts"),
        ({"name": "x", "hang": 1}, "hang: expected true or false"),
        ({"name": "x", "hang": True, "attempts": []}, "must name attempts"),
        ({"name": "x", "hang": True, "attempts": [0]}, "must name attempts"),
        ({"name": "x", "hang": True, "attempts": 1}, "attempts: expected a list"),
        ({"name": "x", "hang": True, "first": 0}, "first=0"),
        ({"name": "x", "hang": True, "probability": 1.1}, "probability=1.1"),
        ({"name": "x", "hang": True, "first": 1, "probability": 0.5}, "exclude each other"),
    ],
)
def test_a_script_that_cannot_be_meant_is_refused_with_the_field(document, problem):
    with pytest.raises(ScriptRejected) as caught:
        _read(document)

    assert problem in str(caught.value)


def test_all_problems_are_named_at_once():
    with pytest.raises(ScriptRejected) as caught:
        _read({"latency_s": "x", "status": "y", "colour": 1})

    assert len(caught.value.problems) == 4


def _asked(**fields: Any) -> Asked:
    plain: dict[str, Any] = {
        "path": "/arcgis/x",
        "state": "WI",
        "layer": "county",
        "call_id": "c",
        "attempt": 1,
    }
    return Asked(**(plain | fields))


def _script(name: str = "x", **fields: Any) -> Script:
    return _read({"name": name, "status": 503, **fields})


@pytest.mark.parametrize(
    ("match", "asked", "acts"),
    [
        ({}, {}, True),
        ({"state": "WI"}, {}, True),
        ({"state": "NE"}, {}, False),
        ({"layer": "congressional"}, {}, False),
        ({"path": "/arcgis/"}, {}, True),
        ({"path": "/resource/"}, {}, False),
        ({"state": "WI"}, {"state": None}, False),
    ],
)
def test_a_script_acts_on_what_it_matches(match, asked, acts):
    book = ScriptBook(seed="1")
    book.add(_script(match=match))

    assert (book.plan(_asked(**asked)).what is not None) is acts


def test_a_script_acts_on_the_attempts_that_it_names():
    book = ScriptBook(seed="1")
    book.add(_script(attempts=[1, 3]))

    acted = [book.plan(_asked(attempt=attempt)).label for attempt in (1, 2, 3, 4)]

    assert acted == ["x", None, "x", None]


def test_the_first_requests_are_counted_from_the_time_the_script_is_set():
    book = ScriptBook(seed="1")
    book.add(_script(first=2))
    acted = [book.plan(_asked()).label for _ in range(3)]
    book.add(_script(first=2))

    assert acted == ["x", "x", None]
    assert book.plan(_asked()).label == "x"


def test_a_draw_depends_on_the_call_and_not_on_the_order_of_arrival():
    def hit(order: list[int]) -> set[int]:
        book = ScriptBook(seed="7")
        book.add(_script(probability=0.5))
        return {n for n in order if book.plan(_asked(call_id=f"call-{n}")).what is not None}

    forwards, backwards = hit(list(range(200))), hit(list(reversed(range(200))))

    assert forwards == backwards
    assert 60 <= len(forwards) <= 140  # 200 fair draws leave this range once in 10^8 seeds


def test_draws_of_requests_without_a_call_id_differ():
    book = ScriptBook(seed="7")
    book.add(_script(probability=0.5))

    acted = {book.plan(_asked(call_id=None)).label for _ in range(50)}

    assert acted == {"x", None}


@pytest.mark.parametrize(("probability", "acted"), [(0.0, 0), (1.0, 50)])
def test_certain_draws_are_certain(probability, acted):
    book = ScriptBook(seed="7")
    book.add(_script(probability=probability))

    plans = [book.plan(_asked(call_id=str(number))) for number in range(50)]

    assert sum(plan.what is not None for plan in plans) == acted


def test_overlapping_scripts_add_their_delays_and_the_first_answer_wins():
    book = ScriptBook(seed="1")
    book.add(_read({"name": "slow", "latency_s": 1}))
    book.add(_read({"name": "down", "status": 503, "latency_s": 2}))
    book.add(_read({"name": "cut", "close": "before"}))

    plan = book.plan(_asked())

    assert plan.latency_s == 3.0
    assert plan.what is not None
    assert plan.what.status == 503
    assert plan.label == "slow,down,cut"


def test_a_book_counts_what_matched_and_what_acted():
    book = ScriptBook(seed="1")
    book.add(_script(attempts=[2]))
    for attempt in (1, 2, 3):
        book.plan(_asked(attempt=attempt))
    book.plan(_asked(attempt=2, state=None))

    ((_, matched, acted),) = book.scripts()

    assert (matched, acted) == (4, 2)


def test_lifting_leaves_the_others():
    book = ScriptBook(seed="1")
    book.add(_script("a"))
    book.add(_script("b"))

    assert book.lift("a")
    assert not book.lift("a")
    assert [script.name for script, _, _ in book.scripts()] == ["b"]
    assert book.lift_all() == 1


def test_a_full_book_refuses_another_script_but_not_a_new_version():
    book = ScriptBook(seed="1")
    for number in range(SCRIPTS_MAX):
        book.add(_script(f"s{number}"))

    book.add(_script("s0"))
    with pytest.raises(ValueError, match="lift one first"):
        book.add(_script("one-more"))


def test_a_script_is_a_value():
    assert Script(name="x", what=What(hang=True)) == Script(
        name="x", match=Match(), when=When(), what=What(hang=True)
    )
