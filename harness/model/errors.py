"""Everything that can go wrong with the harness itself; never a verdict on the system."""

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TELLING = (  # what a log has to say, the most precise first
    re.compile(r"^[\w.]*(Error|Exception|Panic)\b.*: "),  # the end of a traceback
    re.compile(r"\b(error|exception|fatal|panic)\b", re.IGNORECASE),
)
_THEN = "\nthen "  # before each error that came after the first
_LINE_MAX = 300  # a line of a log may be a whole document


class HarnessError(Exception):
    """We failed, not the system under test: the run becomes HARNESS_ERROR."""


class ServiceNotReady(HarnessError):
    """A service of the system did not become healthy within its bound."""


class FaultNotApplied(HarnessError):
    """A fault could not be put in place, or reading it back showed something else."""


class FaultNotHealed(HarnessError):
    """A fault could not be undone, or reading it back showed that it is still there."""


class LoadBroke(HarnessError):
    """The load generator died or could not offer its load."""


class WorldNotClean(HarnessError):
    """Something that the run started was still there after it had been stopped."""


class MissingDependency(HarnessError):
    """A program or an optional dependency that this run needs is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong with a file, where it stands and what to do about it.

    Args:
        path: The file, as the user named it.
        line: Line, counted from 1; 0 if the file as a whole is meant.
        column: Column, counted from 1; 0 if unknown.
        message: What was expected, what was found, what to do; lower case, no final stop.
    """

    path: Path
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """Return `file:line:col: message`, as compilers print it and editors parse it."""
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.path}{place}: {self.message}"


class FileProblems(Exception):
    """A scenario or system file cannot be meant; carries every problem found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PlanRefused(Exception):
    """A well-formed scenario that cannot mean anything here; carries every reason.

    Raised before anything is started, like an error in the file.
    """

    def __init__(self, name: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(f"{name}: {reason}" for reason in self.reasons))


def told(failure: BaseException) -> str:
    """Return an error as people need it: ours by its message, a surprise with its traceback.

    What broke first is told first: that something could not be undone may only follow from it.
    """
    return _THEN.join(_told_alone(one) for one in _in_order_of_time(failure))


def _told_alone(failure: BaseException) -> str:
    if isinstance(failure, HarnessError):
        return f"{type(failure).__name__}: {failure}"
    has_cause = failure.__cause__ is not None  # what it was raised `from` is told nowhere else
    return f"{failure!r}\n" + "".join(traceback.format_exception(failure, chain=has_cause))


def _in_order_of_time(failure: BaseException) -> list[BaseException]:
    """Return a failure after those that it happened in the handling of.

    An error that was raised `from` another one tells of it, and of what led to that, in its own
    words; a cancellation is no error.
    """
    step, is_told = first_of(failure), False
    found, seen = [step], {id(step)}
    while (before := step.__cause__ or step.__context__) is not None:
        if step.__cause__ is None and step.__suppress_context__:
            break
        is_translated = step.__cause__ is not None
        step = first_of(before)
        if id(step) in seen:
            break  # one of several at once was raised from all of them
        seen.add(id(step))
        is_told = is_translated or (is_told and not isinstance(step, HarnessError))
        if isinstance(step, Exception) and not is_told:
            found.insert(0, step)
    return found


def first_of(failure: BaseException) -> BaseException:
    """Return the first of several failures at once; the others are its consequences."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


def in_one_line(error: str) -> str:
    r"""Return the first line of an error and, if that only announces a log, what the log says.

    Of several errors that is the one that was first.

    Of a log that is its last line that names an error, else its last line: uvicorn, for one, says
    goodbye after its traceback.

    >>> in_one_line("'api' ended:\nTraceback\n  File ...\nKeyError: 'DB'\nERROR: Exiting.\n")
    "'api' ended: KeyError: 'DB'"
    >>> in_one_line("no port is free\nsecond line")
    'no port is free'
    """
    lines = error.partition(_THEN)[0].splitlines()
    first, *rest = [line.strip() for line in lines if line.strip()] or [""]
    if not rest or not first.endswith(":"):
        return first
    for pattern in _TELLING:
        fitting = [line for line in rest if pattern.search(line)]
        if fitting:
            return f"{first} {fitting[-1][:_LINE_MAX]}"
    return f"{first} {rest[-1][:_LINE_MAX]}"
