"""Exit codes, and how a command ends with one."""

from enum import IntEnum
from typing import NoReturn

from harness.model.verdict import Verdict


class ExitCode(IntEnum):
    """How `atlas-chaos` ends."""

    PASSED = 0
    FAILED = 1
    INCONCLUSIVE = 2
    HARNESS_ERROR = 3
    USAGE = 4
    INTERRUPTED = 130


class Done(Exception):
    """A command ended, with its exit code."""

    def __init__(self, code: ExitCode) -> None:
        self.code = code
        super().__init__(code.name)


_CODES = {
    Verdict.PASSED: ExitCode.PASSED,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    Verdict.HARNESS_ERROR: ExitCode.HARNESS_ERROR,
    # Nothing but skipped scenarios: nothing was judged.
    Verdict.SKIPPED: ExitCode.INCONCLUSIVE,
}


def code_for(verdict: Verdict) -> ExitCode:
    """Return the exit code of a suite's verdict."""
    return _CODES[verdict]


def end_with(code: ExitCode) -> NoReturn:
    """End the command."""
    raise Done(code)
