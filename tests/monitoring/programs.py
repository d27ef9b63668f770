"""Find the programs of Prometheus: where they are missing, CI fails and a laptop skips."""

import os
import shutil

import pytest

PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
"""The Debian package that holds each program."""


def program(name: str) -> str:
    """Return the path of a program, or end the test."""
    path = shutil.which(name)
    if path is not None:
        return path
    lacking = f"{name} is not on PATH; apt-get install --no-install-recommends {PACKAGES[name]}"
    if os.environ.get("CI") == "true":
        pytest.fail(lacking)
    pytest.skip(lacking)
