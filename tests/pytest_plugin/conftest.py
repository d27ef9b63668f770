"""Run pytest in a process of its own, as a user would."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_COMPOSITION = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("stand_in", {path!r})
stand_in = importlib.util.module_from_spec(spec)
sys.modules["stand_in"] = stand_in
spec.loader.exec_module(stand_in)

def pytest_chaos_composition(config):
    return stand_in
"""
# Named, and nothing else loaded: what happens to be installed here costs most of a start.
_PLUGINS = ("xdist.plugin", "allure_pytest.plugin", "atlas_chaos_pytest", "no:cacheprovider")
_BOUND_S = 60  # a session of a few scenarios takes 2 s; a hang must not take the suite with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a pytest session in a folder came to."""

    code: int
    output: str
    folder: Path

    def allure(self) -> list[dict[str, Any]]:
        results = (self.folder / "allure").glob("*-result.json")
        return sorted((json.loads(p.read_text()) for p in results), key=lambda r: r["fullName"])


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with scenarios in which pytest can be run."""

    folder: Path

    def scenario(self, name: str, does: str, **more: object) -> Path:
        path = self.folder / "scenarios" / f"{name}.chaos.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"does": does, **more}))
        return path

    def conftest(self, extra: str = "") -> None:
        text = _COMPOSITION.format(path=str(Path(__file__).parent / "stand_in.py"))
        (self.folder / "conftest.py").write_text(text + extra)

    def command(self, *arguments: str) -> list[str]:
        plugins = [word for name in _PLUGINS for word in ("-p", name)]
        return [sys.executable, "-m", "pytest", *plugins, *arguments]

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "CI"))}
        ours = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "120"}
        return {**kept, **ours, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *arguments: str) -> Session:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=_BOUND_S,
            check=False,
        )
        return Session(code=done.returncode, output=done.stdout + done.stderr, folder=self.folder)


def prepared(folder: Path) -> Project:
    made = Project(folder)
    made.conftest()
    (folder / "pytest.ini").write_text("[pytest]\n")
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return prepared(tmp_path)


@pytest.fixture(scope="session")
def make_project() -> Callable[[Path], Project]:
    return prepared
