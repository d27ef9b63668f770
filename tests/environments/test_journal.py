"""The undo journal: written before the act, readable after a kill."""

import pytest

from harness.environments.journal import JOURNAL, Journal, pending


def test_an_act_is_pending_until_it_was_undone(tmp_path):
    journal = Journal(tmp_path)

    with journal.undoing("pause api", {"kind": "signal", "pid": 1}):
        during = pending(tmp_path)

    assert [entry["act"] for entry in during] == ["pause api"]
    assert pending(tmp_path) == []


def test_an_act_whose_healing_failed_stays_pending(tmp_path):
    journal = Journal(tmp_path)

    with pytest.raises(RuntimeError), journal.undoing("pause api", {"kind": "signal"}):
        raise RuntimeError("the heal inside failed")

    assert [entry["act"] for entry in pending(tmp_path)] == ["pause api"]


def test_pending_acts_come_newest_first(tmp_path):
    journal = Journal(tmp_path)

    for act in ("first", "second", "third"):
        journal.plan_undo(act, {"kind": "signal"})
    journal.undone(1)

    assert [entry["act"] for entry in pending(tmp_path)] == ["third", "first"]


def test_a_torn_last_line_is_left_out(tmp_path):
    journal = Journal(tmp_path)
    journal.plan_undo("whole", {"kind": "signal"})

    with (tmp_path / JOURNAL).open("a") as file:
        file.write('{"entry": 1, "act": "to')

    assert [entry["act"] for entry in pending(tmp_path)] == ["whole"]


def test_without_a_journal_nothing_is_pending(tmp_path):
    assert pending(tmp_path) == []
