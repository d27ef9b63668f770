"""Run the command as a new user does: in a folder of their own, at 80 columns."""

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

SCENARIO = "chaos/greetings_survive_late_names.chaos.yaml"
SYSTEM = "chaos/greetings.system.yaml"
_BOUND_S = 180  # a run takes 10 s; on a machine that is too busy it is repeated


def atlas_chaos(
    folder: Path, *arguments: str | Path, columns: int = 80
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; the program is this checkout's, whatever the folder holds."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "harness.cli", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "COLUMNS": str(columns)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_BOUND_S,
        check=False,
    )


def starter_text(name: str) -> str:
    """Return a template of what `init` writes."""
    return files("harness.command_line.starter").joinpath(name).read_text()


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace a text that a file of the user must hold."""
    path = folder / file
    text = path.read_text()
    assert old in text, f"{file} does not hold {old!r}"
    path.write_text(text.replace(old, new))
