"""The parts of other projects that we use without a promise of theirs; pinned for that reason."""

import inspect

import pytest
from _pytest.junitxml import LogXML
from allure_pytest.listener import AllureListener
from xdist.dsession import DSession
from xdist.scheduler import LoadGroupScheduling

from harness.reporting.allure import EXCEPTIONS
from harness.reporting.allure_files import categories


def test_allure_listener_still_has_a_logger_and_a_thread():
    names = AllureListener.__init__.__code__.co_names

    assert "allure_logger" in names
    assert "_thread" in names


def test_scheduler_of_pytest_xdist_still_keeps_units_as_we_use_them():
    source = inspect.getsource(LoadGroupScheduling.__mro__[1].remove_node)

    assert "self.assigned_work.pop(node)" in source
    assert "self.workqueue.update(workload)" in source  # fixed upstream when this fails: drop ours


def test_session_of_pytest_xdist_still_reads_the_bound_of_restarts_once():
    assert "_max_worker_restart" in DSession.__init__.__code__.co_names


def test_junit_writer_of_pytest_still_has_nodes_and_counts():
    assert "stats" in LogXML.__init__.__code__.co_names
    assert "reporter.append_failure(report)" in inspect.getsource(LogXML.pytest_runtest_logreport)


@pytest.mark.parametrize("name", sorted(EXCEPTIONS.values()))
def test_every_exception_has_a_category(name):
    patterns = [str(rule.get("messageRegex", "")) for rule in categories()]

    assert any(name in pattern for pattern in patterns) or name == "HarnessBroke"
