"""Find the system that a command line means."""

import sys
from pathlib import Path

from harness.command_line.exit_codes import Done, ExitCode, end_with
from harness.command_line.selection import DEFAULT_PATH
from harness.model.errors import FileProblems
from harness.model.system import System
from harness.scenario_files import SYSTEM_SUFFIX, load_system


def chosen_system(named: str | None) -> System:
    """Return the system of a file, a folder that holds one, or a name; end with 4 without one."""
    path = _file_of(named)
    try:
        return load_system(path)
    except FileProblems as found:
        sys.stderr.write(f"{found}\nnothing was started\n")
        end_with(ExitCode.USAGE)


def _file_of(named: str | None) -> Path:
    path = DEFAULT_PATH if named is None else Path(named)
    if path.is_dir():
        return _only_one(path)
    if path.exists() or path.name.endswith(SYSTEM_SUFFIX):
        return path
    by_name = DEFAULT_PATH / f"{path}{SYSTEM_SUFFIX}"
    if by_name.exists():
        return by_name
    if named is None:
        raise _refused(
            f"there is no folder '{DEFAULT_PATH}' here; name a system file or its folder"
        )
    raise _refused(f"no system {named!r}: there is neither such a path nor a file {by_name}")


def _only_one(folder: Path) -> Path:
    files = sorted(folder.glob(f"*{SYSTEM_SUFFIX}"))
    if not files:
        raise _refused(f"{folder} holds no *{SYSTEM_SUFFIX}; 'atlas-chaos init DIR' writes one")
    if len(files) > 1:
        raise _refused(f"{folder} holds several systems; name one: {', '.join(map(str, files))}")
    return files[0]


def _refused(reason: str) -> Done:
    """Say why a command cannot be meant, and return its end."""
    sys.stderr.write(f"{reason}\n")
    return Done(ExitCode.USAGE)
