"""Map verdicts to what pytest knows: failures, errors and skips."""

from typing import Any

import pytest

from harness.model.run import RunResult
from harness.model.verdict import Verdict
from harness.reporting.console import failure_block, render
from harness.reporting.run_report import RunReport, report_of

_BODY_WIDTH = 100


class PropertyViolation(AssertionError):
    """The system broke a check; the message is the verdict sentence."""


class Inconclusive(Exception):
    """The evidence cannot decide: neither a failure of the system nor a pass."""


class HarnessBroke(Exception):
    """We failed, not the system under test."""


_EXCEPTIONS: dict[Verdict, type[Exception]] = {
    Verdict.FAILED: PropertyViolation,
    Verdict.INCONCLUSIVE: Inconclusive,
    Verdict.HARNESS_ERROR: HarnessBroke,
}
_ERRORS = (Verdict.INCONCLUSIVE, Verdict.HARNESS_ERROR)


def settle(result: RunResult) -> None:
    """Return for PASSED, skip for SKIPPED, raise for everything else.

    Raises:
        PropertyViolation: For FAILED.
        Inconclusive: For INCONCLUSIVE.
        HarnessBroke: For HARNESS_ERROR.
    """
    if result.verdict is Verdict.PASSED:
        return
    if result.verdict is Verdict.SKIPPED:
        pytest.skip(result.sentence or "this environment cannot run it")
    raise _EXCEPTIONS[result.verdict](result.sentence or "no reason given")


def one_line(error: BaseException) -> str:
    """Return exception and message in one line, without the module's path."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def body_of(result: RunResult) -> str:
    """Return the details of a run that did not pass, for pytest's failure section."""
    return render(failure_block(report_of(result)), _BODY_WIDTH)


def short_repr(excinfo: pytest.ExceptionInfo[BaseException], body: str, path: str) -> Any:
    """Return a representation whose body is long and whose summary is one line.

    A plain string would be repeated whole in the summary and in JUnit's message.
    """
    shown: Any = excinfo.getrepr(style="value")
    lines = [*body.splitlines(), *getattr(excinfo.value, "__notes__", [])]
    if hasattr(shown, "chain"):
        shown.chain[:] = shown.chain[-1:]
    shown.reprtraceback.reprentries[-1].lines[:] = lines
    if shown.reprcrash is not None:
        shown.reprcrash.path = path
        shown.reprcrash.lineno = 1
        shown.reprcrash.message = one_line(excinfo.value)
    return shown


def short_traceback(excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    """Return the traceback of an exception that nobody foresaw, from the run on."""
    here = [entry for entry in excinfo.traceback if "pytest_support" in str(entry.path)]
    if here:
        place = excinfo.traceback.index(here[-1])
        excinfo.traceback = excinfo.traceback.__class__(excinfo.traceback[place:])
    return excinfo.getrepr(style="short", tbfilter=False)


def is_error(report: Any) -> bool:
    """Say whether a failed report is about us or the evidence, and not about the system."""
    chaos = getattr(report, "chaos", None) or {}
    return bool(report.failed and chaos.get("verdict") in [str(item) for item in _ERRORS])


def verdict_of(error: BaseException) -> Verdict:
    """Return the verdict that an exception of an item stands for."""
    for verdict, kind in _EXCEPTIONS.items():
        if isinstance(error, kind):
            return verdict
    return Verdict.SKIPPED if isinstance(error, pytest.skip.Exception) else Verdict.HARNESS_ERROR


def report_without_run(*, name: str, path: str, sentence: str) -> RunReport:
    """Return the report of a scenario that no run can tell about: lost, crashed, refused."""
    return RunReport(
        name=name,
        path=path,
        claim="",
        system="",
        verdict=Verdict.HARNESS_ERROR,
        sentence=sentence,
    )
