"""Complete the results that allure-pytest writes, in the process that runs the item.

It uses allure-pytest's listener, so allure-pytest is pinned below 2.17; a contract test watches it.
"""

import os
from pathlib import Path
from typing import Any

import allure_commons
import pytest
from allure_commons.model2 import Attachment, Parameter, StatusDetails

from harness.pytest_support.choices import choices_of
from harness.pytest_support.items import RESULT, ScenarioItem
from harness.reporting.allure import Content, content_of, full_name_of, md5
from harness.reporting.allure_files import write_metrics
from harness.reporting.digest import digest_for
from harness.reporting.run_report import relative_path, report_of


class AllureResults:
    """Identity, content and honest endings of scenario results."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folder = Path(config.getoption("allure_report_dir"))

    def _current(self) -> Any:
        listener = self._listener()
        return None if listener is None else listener.allure_logger.get_test(None)

    def _listener(self) -> Any:
        return self._config.pluginmanager.get_plugin("allure_listener")

    def name_lane(self) -> None:
        """Name this process's lane on Allure's timeline after the worker, not the process id."""
        listener = self._listener()
        if listener is not None:
            listener._thread = os.environ.get("PYTEST_XDIST_WORKER", "main")  # noqa: SLF001

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Any:
        """Set the identity last of all, also when setup failed: allure-pytest overwrites it."""
        try:
            return (yield)
        finally:
            value = self._current()
            if isinstance(item, ScenarioItem) and value is not None:
                self._identify(item, value)

    def _identify(self, item: ScenarioItem, value: Any) -> None:
        root = self._config.rootpath
        value.name = item.scenario.name.replace("_", " ")
        value.fullName = full_name_of(item.path, item.scenario.name, root)
        value.testCaseId = md5(value.fullName)
        value.titlePath = [relative_path(item.path, root)]
        environment = choices_of(self._config).environment
        value.parameters = [Parameter(name="environment", value=environment)]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Mark an interrupted scenario as broken; it would keep the status of its setup: passed."""
        try:
            return (yield)
        except (KeyboardInterrupt, pytest.exit.Exception) as error:
            value = self._current()
            if isinstance(item, ScenarioItem) and value is not None:
                value.status = "broken"
                message = f"interrupted before its verdict: {type(error).__name__}"
                value.statusDetails = StatusDetails(message=message)
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Any:
        """Add the run's content after allure-pytest has set its own."""
        report = yield
        result = item.stash.get(RESULT, None)
        value = self._current()
        if call.when == "call" and isinstance(item, ScenarioItem) and value is not None:
            if result is not None:
                content = content_of(result, digest_for(result), self._config.rootpath)
                self._fill(value, content)
                self._folder.mkdir(parents=True, exist_ok=True)
                write_metrics(report_of(result), value.fullName, self._folder)
            elif value.statusDetails is not None and call.excinfo is not None:
                value.statusDetails.message = f"{call.excinfo.typename}: {call.excinfo.value}"
        return report

    def _fill(self, value: Any, content: Content) -> None:
        value.descriptionHtml = content.description_html
        value.steps = [*value.steps, *content.steps]
        value.parameters = list(content.parameters)
        if content.message and value.statusDetails is not None:
            value.statusDetails.message = content.message
            value.statusDetails.trace = content.trace or value.statusDetails.trace
        for index, document in enumerate(content.documents):
            source = f"{value.uuid}-{index}-attachment.{document.extension}"
            write = allure_commons.plugin_manager.hook.report_attached_data
            write(body=document.body, file_name=source)
            attached = Attachment(name=document.name, source=source, type=document.mime)
            value.attachments.append(attached)
