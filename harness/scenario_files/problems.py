"""Collect everything that is wrong with a file, and suggest what was meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from harness.model.errors import FileProblems, Problem

_LISTED_AT_MOST = 15  # a line of an editor; whoever needs more asks for the reference


class Problems:
    """Problems of one file and of those that it refers to, in the order in which they are found.

    Args:
        path: The file, as the user named it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[Problem, None] = {}  # a dict, because one cause is told once

    def add(self, line: int, column: int, message: str) -> None:
        """Note one problem; lines and columns count from 1."""
        self._found[Problem(path=self.path, line=line, column=column, message=message)] = None

    def add_all(self, problems: Iterable[Problem]) -> None:
        """Note the problems of another file."""
        self._found.update(dict.fromkeys(problems))

    @property
    def found(self) -> tuple[Problem, ...]:
        """Return what was found so far."""
        return tuple(self._found)

    def raise_if_any(self) -> None:
        """Raise what was found.

        Raises:
            FileProblems: If anything was found.
        """
        if self._found:
            raise FileProblems(self.found)


def either(words: Sequence[str]) -> str:
    """Return a choice between words for people, cut off where it becomes a list to search.

    >>> either(["a", "b", "c"])
    "'a', 'b' or 'c'"
    """
    quoted = [f"'{word}'" for word in words[:_LISTED_AT_MOST]]
    if len(words) > _LISTED_AT_MOST:
        return f"{', '.join(quoted)} or one of {len(words) - _LISTED_AT_MOST} more"
    if len(quoted) == 1:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the nearest of some words, whatever their case; empty if none is near.

    >>> nearest("Dealy", ["delay", "jitter"])
    'delay'
    """
    by_fold = {known.casefold(): known for known in reversed(list(words))}
    near = get_close_matches(word.casefold(), list(by_fold), n=1)
    return by_fold[near[0]] if near else ""


def suggestion(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest of some words, or nothing.

    >>> suggestion("dealy", ["delay", "jitter"])
    "; did you mean 'delay'?"
    >>> suggestion("share", ["delay", "jitter"])
    ''
    """
    near = nearest(word, words)
    return f"; did you mean '{near}'?" if near else ""


def unknown(noun: str, word: str, words: Sequence[str]) -> str:
    """Return what to say about a name that does not exist.

    >>> unknown("service", "dbb", ["api", "db"])
    "no service 'dbb'; expected 'api' or 'db'; did you mean 'db'?"
    """
    if not words:
        return f"no {noun} '{word}'; there is none"
    return f"no {noun} '{word}'; expected {either(words)}{suggestion(word, words)}"
