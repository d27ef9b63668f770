"""Judge the newest of many runs by its comparisons with the ones before it.

One pair of runs cannot tell how runs of one system differ from each other. Several can: a figure
changed if it did so against most of them, so one odd night neither raises an alarm nor hides one,
and a lasting change is told until it is what most nights look like.
"""

from collections.abc import Sequence
from dataclasses import replace

from harness.checks.comparison import VERDICT, Change, Row


def against_most(comparisons: Sequence[Sequence[Row]]) -> list[Row]:
    """Return what became of each figure of the newest run, in the order of the last comparison.

    A figure whose comparisons decided nothing is unknown; those that decided nothing do not vote.

    Args:
        comparisons: What `compare(one before, the newest)` returned, the latest one before last.

    Raises:
        ValueError: If there is no comparison.
    """
    if not comparisons:
        raise ValueError("a run without one before it cannot be compared")
    rows = [row for rows in comparisons for row in rows]
    measures = dict.fromkeys(row.measure for row in [*comparisons[-1], *rows])
    return [_voted([row for row in rows if row.measure == measure]) for measure in measures]


def _voted(votes: Sequence[Row]) -> Row:
    """Return the latest row on the side of the majority, with the count in its reason."""
    decided = [row for row in votes if row.change is not Change.UNKNOWN]
    if not decided:
        return votes[-1]
    for change in (Change.WORSE, Change.BETTER):
        agreeing = [row for row in decided if row.change is change]
        if 2 * len(agreeing) > len(decided):
            told = f"against {len(agreeing)} of {len(decided)} before; {agreeing[-1].reason}"
            return replace(agreeing[-1], reason=told.rstrip("; "))
    return replace(decided[-1], change=Change.SAME, reason="")


def overall(rows: Sequence[Row]) -> Change:
    """Return what became of the newest run as a whole.

    A figure that is too thin to tell is so in every run of its scenario, and would make every
    night undecided. So it leaves the answer to the others, as long as the verdict is decided and
    at least one figure besides. One that is worse always counts.
    """
    changes = {row.measure: row.change for row in rows}
    decided = [change for change in changes.values() if change is not Change.UNKNOWN]
    if Change.WORSE in decided:
        return Change.WORSE
    if changes.get(VERDICT) is Change.UNKNOWN or len(decided) < 2:  # noqa: PLR2004 -- and another
        return Change.UNKNOWN
    return min(decided, key=list(Change).index)
