"""Runs to tell about."""

import pytest

from harness.model.history import History, read_history
from harness.model.run import RunResult
from harness.reporting.digest import Digest, digest_of
from tests.reporting.sample_runs import sample_run


@pytest.fixture(scope="session")
def failed(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return sample_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def history(failed: RunResult) -> History:
    assert failed.history_path is not None
    with failed.history_path.open(encoding="utf-8") as lines:
        return read_history(lines)


@pytest.fixture(scope="session")
def digest(failed: RunResult, history: History) -> Digest:
    return digest_of(failed, history)
