"""Read the text of a file, bounded, or say where and why that is not possible."""

from pathlib import Path

from harness.model.errors import FileProblems, Problem
from harness.scenario_files.problems import suggestion

SIZE_MAX_BYTES = 1024 * 1024  # a long scenario has 10 KB; more is a file of another kind


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file of at most 1 MiB.

    Raises:
        FileProblems: If there is no such file, it cannot be read, is too long or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise missing(path) from None
    except (OSError, ValueError) as error:  # ValueError: a path that holds a NUL
        raise FileProblems([_of_file(path, f"cannot be read: {error}")]) from error
    if len(content) > SIZE_MAX_BYTES:
        raise FileProblems([_of_file(path, "is longer than 1 MiB, the most that is read")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace")
        line, column = position_after(before)
        message = f"expected UTF-8, got the byte 0x{content[error.start]:02x}"
        problem = Problem(path=path, line=line, column=column, message=message)
        raise FileProblems([problem]) from error


def position_after(text: str) -> tuple[int, int]:
    r"""Return line and column, from 1, of what follows `text`.

    >>> position_after("a: 1\nb")
    (2, 2)
    """
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def missing(path: Path) -> FileProblems:
    """Return the error for a path that does not exist, with the nearest name beside it."""
    try:
        beside = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        beside = []
    hint = suggestion(path.name, beside)
    return FileProblems([_of_file(path, f"no such file or folder{hint}")])


def _of_file(path: Path, message: str) -> Problem:
    return Problem(path=path, line=0, column=0, message=message)
