"""The undo journal: what has to be undone is on disk before it is done.

The journal lies in the work folder of a run, so that the watchdog, and `atlas-chaos clean` long
after it, can undo what a killed harness could not. A dead process is all we guard against, not a
power cut, so entries are written but not synced.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

JOURNAL = "journal.ndjson"


class Journal:
    """Append entries to the journal of one run."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._next = 0

    def plan_undo(self, act: str, undo: Mapping[str, Any]) -> int:
        """Write how to undo `act` and return the entry's number; call it before acting."""
        number = self._next
        self._next += 1
        self._write({"entry": number, "act": act, "undo": dict(undo)})
        return number

    def undone(self, number: int) -> None:
        """Note that the entry was undone and read back, so nobody has to do it again."""
        self._write({"undone": number})

    def close(self) -> None:
        """Close the file; it stays on disk."""
        os.close(self._fd)

    def _write(self, values: Mapping[str, Any]) -> None:
        os.write(self._fd, (json.dumps(values) + "\n").encode())

    @contextmanager
    def undoing(self, act: str, undo: Mapping[str, Any]) -> Iterator[None]:
        """Keep an undo on record while an act is in force; it stays on record if healing fails."""
        number = self.plan_undo(act, undo)
        yield
        self.undone(number)


def pending(folder: Path) -> list[Mapping[str, Any]]:
    """Return the undos that are still due, newest first; a torn last line is left out."""
    path = folder / JOURNAL
    if not path.exists():
        return []
    due: dict[int, Mapping[str, Any]] = {}
    for line in path.read_text().splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # torn by the kill itself: what it announced was never done
        if "undone" in entry:
            due.pop(entry["undone"], None)
        else:
            due[entry["entry"]] = entry
    return [due[number] for number in sorted(due, reverse=True)]
