"""The examples of the reference page run, and the page names everything that is public."""

import doctest
from pathlib import Path

import resilience
from resilience import ChaosFault, EventKind

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "resilience.md"


def test_the_examples_of_the_reference_page_run():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)

    assert failed == 0
    assert tried > 30


def test_the_page_tells_of_every_fault_and_every_kind_of_event():
    text = PAGE.read_text()
    kinds = {kind.value for kind in EventKind}
    shortened = {f"_{kind.removeprefix('bulkhead_')}" for kind in kinds if "bulkhead" in kind}

    untold = {kind for kind in kinds if f"`{kind}`" not in text}
    assert {f"_{kind.removeprefix('bulkhead_')}" for kind in untold} <= shortened
    assert [fault for fault in ChaosFault if fault.value not in text] == []


def test_every_public_class_and_function_has_a_docstring():
    public = [getattr(resilience, name) for name in resilience.__all__]
    ours = [each for each in public if getattr(each, "__module__", "").startswith("resilience")]

    assert len(ours) > 50
    assert [each for each in ours if not each.__doc__] == []
