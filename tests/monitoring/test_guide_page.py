"""The page on monitoring is executed: its commands succeed, and its tables are complete."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.model.alert_rules import alert_names
from tests.monitoring.programs import PACKAGES, program
from tests.monitoring.test_dashboard import LIMITER_METRICS, METRICS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "monitor-and-alert.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_page_succeeds(command, tmp_path):
    words = shlex.split(command)
    if words[0] == "python":
        words = [sys.executable, *words[1:], "--out", str(tmp_path / "alerts.yml")]
    else:
        words[0] = program(words[0])

    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_page_lists_every_alert():
    template = (ROOT / "monitoring" / "alerts.template.yml").read_text()

    listed = re.findall(r"^\| `([A-Z]\w+)` \|", PAGE, re.MULTILINE)
    assert tuple(listed) == alert_names(template)


def test_page_lists_every_metric_of_the_guide():
    table = PAGE.partition("## What is measured")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", table))
    named |= {f"circuit_breaker{name}" for name in named if name.startswith("_")}

    assert {*METRICS, *LIMITER_METRICS, "atlas_requests_total"} <= named


def test_page_names_the_packages_that_tests_need():
    assert set(re.search(r"apt-get install (.*)", PAGE)[1].split()[1:]) == set(PACKAGES.values())
