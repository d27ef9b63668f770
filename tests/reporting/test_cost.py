"""What reports cost: a suite of hundreds of large runs takes a minute, from its digests."""

import dataclasses
import shutil
import time
from pathlib import Path

import pytest

from harness.model.history import History
from harness.reporting.digest import DIGEST_FILE, write_digest
from harness.reporting.write import write_reports
from tests.reporting.sample_runs import sample_records, sample_run, sample_scenario

RUNS, OPERATIONS_PER_S = 10, 1_667.0  # a hundred thousand operations in a minute
TIME_MAX_S, SIZE_MAX_BYTES = 60.0 / 200, 60_000_000 / 200  # each of two hundred in a suite


@pytest.mark.slow
def test_two_hundred_runs_of_a_hundred_thousand_operations_take_a_minute_and_60_megabytes(tmp_path):
    first = sample_run(tmp_path / "run0")
    history = History(sample_records(OPERATIONS_PER_S))
    results = [
        dataclasses.replace(
            first,
            scenario=sample_scenario(name=f"run{index}", path=Path(f"run{index}.chaos.yaml")),
            settings=dataclasses.replace(first.settings, folder=tmp_path / f"run{index}"),
            history_path=tmp_path / "not there",  # whoever reads a history again, fails
        )
        for index in range(RUNS)
    ]
    write_digest(results[0], history)
    for result in results[1:]:
        result.settings.folder.mkdir()
        shutil.copy(results[0].settings.folder / DIGEST_FILE, result.settings.folder)

    start_s = time.process_time()  # what others do on this machine is no cost of reports
    write_reports(results, tmp_path / "reports", root=tmp_path)
    took_s = time.process_time() - start_s

    files = [path for path in (tmp_path / "reports").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) / RUNS <= SIZE_MAX_BYTES
    assert took_s / RUNS <= TIME_MAX_S
