"""Find scenario files."""

from collections.abc import Iterable
from pathlib import Path

from harness.model.errors import FileProblems, Problem
from harness.scenario_files.scenarios import SCENARIO_SUFFIX
from harness.scenario_files.source import missing


def discover(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the scenario files that `paths` name, each once.

    A folder stands for all `*.chaos.yaml` below it, sorted by path; hidden folders are left out.
    Files keep the order in which they were named.

    Raises:
        FileProblems: With every path that does not exist or is no scenario file.
    """
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            found.update(dict.fromkeys(_below(path)))
        except FileProblems as error:
            problems.extend(error.problems)
    if problems:
        raise FileProblems(problems)
    return tuple(found)


def _below(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(path.rglob(f"*{SCENARIO_SUFFIX}"))
        return [file for file in files if file.is_file() and not _is_hidden(file, path)]
    if not path.exists():
        raise missing(path)
    if not path.name.endswith(SCENARIO_SUFFIX):
        message = f"expected a scenario, whose file name ends in '{SCENARIO_SUFFIX}'"
        raise FileProblems([Problem(path=path, line=0, column=0, message=message)])
    return [path]


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
