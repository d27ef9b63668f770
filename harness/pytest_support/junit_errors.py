"""Make pytest's own JUnit file tell errors from failures.

pytest writes every exception of a test's call as a failure. INCONCLUSIVE and HARNESS_ERROR are not
failures of the system, and CI systems count the two apart.
"""

from typing import Any

import pytest


def correct(config: pytest.Config, report: Any) -> None:
    """Turn the failure that pytest just noted for a report into an error.

    It uses the parts of pytest's writer that have no public form; a contract test watches them.
    """
    for plugin in config.pluginmanager.get_plugins():
        if type(plugin).__name__ != "LogXML":
            continue
        for node in plugin.node_reporter(report).nodes:
            if node.tag == "failure":
                node.tag = "error"
                plugin.stats["failure"] -= 1
                plugin.stats["error"] += 1
