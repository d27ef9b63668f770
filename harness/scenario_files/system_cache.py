"""Read the systems of a batch of scenarios, each file once."""

from pathlib import Path

from harness.model.errors import FileProblems
from harness.model.system import System
from harness.scenario_files.system_files import load_system


class SystemFiles:
    """Remember the systems of a batch of scenarios, those with problems too."""

    def __init__(self) -> None:
        self._systems: dict[Path, System | FileProblems] = {}

    def load(self, path: Path) -> System:
        """Return the system of a file, read at most once.

        Raises:
            FileProblems: With everything that is wrong with the file, each time it is asked for.
        """
        if path not in self._systems:
            try:
                self._systems[path] = load_system(path)
            except FileProblems as error:
                self._systems[path] = error
        found = self._systems[path]
        if isinstance(found, FileProblems):
            raise FileProblems(found.problems)
        return found
