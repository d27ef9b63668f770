"""The reference pages of the command line and of the fault matrix are made from the code."""

import os
from pathlib import Path

import pytest

from fault_injectors.catalogue import FAULTS
from harness.command_line.fault_matrix import COLUMNS, matrix_page, matrix_text, offered_by, rows
from harness.command_line.reference import cli_page
from tests.runs.conftest import ROOT

DOCS = ROOT / "docs" / "reference"
UPDATE = "UPDATE_REFERENCE"


def require_same(path: Path, text: str) -> None:
    """Demand that a page is `text`, or write it if the caller asked for that."""
    if os.environ.get(UPDATE):
        path.write_text(text, encoding="utf-8")
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    assert found == text, f"{path.name} is out of date; run this test with {UPDATE}=1"


def test_the_page_of_the_command_line_says_what_the_commands_say():
    require_same(DOCS / "cli.md", cli_page())


def test_the_page_of_the_fault_matrix_says_what_faults_need_and_environments_offer():
    require_same(DOCS / "fault-matrix.md", matrix_page(rows()))


def test_the_matrix_has_every_fault():
    assert [row.fault for row in rows()][: len(FAULTS)] == [fault.name for fault in FAULTS]


def test_a_share_of_connections_needs_the_embedded_proxy():
    [share] = [row for row in rows() if row.fault.startswith("share")]

    offered = {column.proxy: not why for column, why in zip(COLUMNS, share.reasons, strict=True)}
    assert offered["embedded"]
    assert not offered["toxiproxy"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_some_environment_offers_every_fault(fault):
    assert "" in [why for _, why in offered_by(fault.name)]


def test_what_processes_lack_is_told_with_its_reason():
    reasons = {str(column): why for column, why in offered_by("disconnect")}

    assert reasons["processes, embedded"] == "processes share one network"


def test_what_a_machine_lacks_is_told_once_for_its_column():
    [column] = [one for one in COLUMNS if str(one) == "processes, toxiproxy"]

    told = matrix_text(rows({column: "no such program here"}))

    assert told.count("no such program here") == 1
    assert told.count("- (1)") == len(rows())
