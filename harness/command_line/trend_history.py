"""What became of each scenario over many runs: values, and how the newest run is judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from harness.checks.comparison import Change, Row, compare
from harness.checks.trend import against_most, overall
from harness.command_line.compare_command import ENDINGS
from harness.command_line.saved_runs import SavedRun
from harness.composition import INPUTS, judge_saved
from harness.model.errors import FileProblems
from harness.model.run import RunResult
from harness.model.verdict import Verdict
from harness.reporting.summary_schema import schema_of

SCHEMA_VERSION = 1
# A majority of five still stands against two odd nights; each costs a tenth of a second to read.
COMPARED_MAX = 5
_DECIDED = (Verdict.PASSED, Verdict.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run in a history.

    Args:
        folder: Where it lies.
        run_id: Its identity.
        started_unix_ns: When it began, nanoseconds since the epoch.
        seed: What everything random in it derived from.
        verdict: What it came to at the time.
        figures: What it measured then; the names end with the units.
    """

    folder: str
    run_id: str
    started_unix_ns: int
    seed: int
    verdict: Verdict
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The runs of one scenario in one environment at one time scale.

    Args:
        scenario: Its name.
        environment: Where the runs took place.
        time_scale: Their factor on durations.
        change: What became of the newest run as a whole.
        compared: Number of runs that the newest one was compared with.
        edited: Number of those whose scenario, system or rules read otherwise than the newest's: a
            change may be that of the file.
        runs: From the oldest to the newest.
        rows: What became of each figure of the newest run.
    """

    scenario: str
    environment: str
    time_scale: float
    change: Change
    compared: int
    edited: int
    runs: tuple[Point, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendDocument:
    """All that the command `trend` says, for programs.

    Args:
        schema: Version of this document.
        answer: The answer in words; the exit code says the same.
        trends: By scenario, environment and time scale.
        folders_without_runs: Folders that were named and hold none.
    """

    schema: int
    answer: str
    trends: tuple[Trend, ...]
    folders_without_runs: tuple[str, ...]


def trends_of(runs: Iterable[SavedRun], *, last: int) -> list[Trend]:
    """Return the history of each scenario, environment and time scale.

    Args:
        runs: Runs, in any order.
        last: How many of the newest runs of each are kept.

    Raises:
        ValueError: If a history cannot be read, with its folder.
        OSError: If a file cannot be read.
    """
    ordered = sorted(runs, key=lambda run: (_identity(run), run.report.started_unix_ns))
    return [_trend(list(group)[-last:]) for _, group in groupby(ordered, key=_identity)]


def _identity(run: SavedRun) -> tuple[str, str, float]:
    return run.report.name, run.report.environment, run.report.time_scale


def _trend(runs: Sequence[SavedRun]) -> Trend:
    scenario, environment, time_scale = _identity(runs[-1])
    compared, rows = _judged_newest(runs)
    inputs = _inputs(runs[-1])
    return Trend(
        scenario=scenario,
        environment=environment,
        time_scale=time_scale,
        change=overall(rows),
        compared=len(compared),
        edited=sum(_inputs(run) != inputs for run in compared),
        runs=tuple(map(_point, runs)),
        rows=tuple(rows),
    )


def _point(run: SavedRun) -> Point:
    report = run.report
    return Point(
        folder=str(run.folder),
        run_id=report.run_id,
        started_unix_ns=report.started_unix_ns,
        seed=report.seed,
        verdict=report.verdict,
        figures=report.figures,
    )


def _judged_newest(runs: Sequence[SavedRun]) -> tuple[list[SavedRun], list[Row]]:
    """Return with which runs the newest was compared, and what came of it.

    A run that decided nothing is nothing to compare with, nor is one whose history is gone.
    """
    *before, newest = runs
    decided = [run for run in before if run.report.verdict in _DECIDED][-COMPARED_MAX:]
    if not decided:
        return [], [_unknown("no run before it that decided anything")]
    after, lacking = _judged(newest)
    if after is None:
        return [], [_unknown(lacking)]
    compared, comparisons = [], []
    for run in decided:
        one, lacking = _judged(run)
        if one is not None:
            compared.append(run)
            comparisons.append(compare(one, after))
    return compared, against_most(comparisons) if comparisons else [_unknown(lacking)]


def _inputs(run: SavedRun) -> dict[str, bytes]:
    """Return the files that a run was made from; empty if they are gone."""
    return {path.name: path.read_bytes() for path in (run.folder / INPUTS).glob("*")}


def _judged(run: SavedRun) -> tuple[RunResult | None, str]:
    """Return a run with its history, or why there is none."""
    try:
        result = judge_saved(run.folder)
    except FileNotFoundError:
        return None, f"no history is left in {run.folder}"
    except FileProblems as error:
        return None, f"this version cannot read the scenario in {run.folder}: {error}"
    except ValueError as error:
        raise ValueError(f"{run.folder}: {error}") from error
    if result.settings.run_id != run.report.run_id:
        return None, f"the history in {run.folder} is of another run"
    return result, ""


def _unknown(reason: str) -> Row:
    return Row(measure="run", before="", after="", change=Change.UNKNOWN, reason=reason)


def trend_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `trend --json` prints."""
    schema = schema_of(TrendDocument)
    schema["properties"]["schema"] = {"const": SCHEMA_VERSION}
    schema["properties"]["answer"] = {"enum": sorted(set(ENDINGS.values()))}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "what atlas-chaos trend --json prints",
    }
    return head | schema
