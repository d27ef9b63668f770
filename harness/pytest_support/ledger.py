"""Keep account of planned and judged scenarios, so that none can vanish without a word.

pytest-xdist tells a worker to shut down as soon as its queue is empty; if another worker then dies,
what it had left to do is never run, and nobody says so (pytest-xdist#1323). An interruption and
`-x` lose scenarios the same way.
"""

from collections.abc import Iterable
from typing import Any

from harness.pytest_support.progress import WHEN


class Ledger:
    """Planned scenarios by node id, and what became of each."""

    def __init__(self) -> None:
        self._planned: dict[str, None] = {}
        self._started: set[str] = set()
        self._judged: set[str] = set()

    def plan(self, nodeids: Iterable[str]) -> None:
        """Note scenarios that have to be judged; each worker plans the same ones again."""
        self._planned.update(dict.fromkeys(nodeids))

    def start(self, nodeid: str) -> None:
        """Note that a scenario was begun."""
        self._started.add(nodeid)

    def judge(self, report: Any) -> None:
        """Note a report: a verdict came, or setup failed or skipped, or a worker crashed."""
        if report.when == WHEN:
            return
        if report.when == "call" or not report.passed:
            self._judged.add(report.nodeid)

    def lost(self) -> dict[str, str]:
        """Return why each planned scenario has no verdict, keyed by node id."""
        return {
            nodeid: "interrupted before its verdict" if nodeid in self._started else "never run"
            for nodeid in self._planned
            if nodeid not in self._judged
        }
