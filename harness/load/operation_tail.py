"""Read the load file while the load process writes it."""

import json
from pathlib import Path

from harness.model.history import from_mapping
from harness.model.records import Operation, Outcome, Record


class OperationTail:
    """Keep what a growing file holds so far; every call of `read` looks at the new lines only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""
        self.operations: list[Operation] = []
        self.others: list[Record] = []
        self.not_ok = 0

    def read(self) -> None:
        """Take the lines that were completed since the last call; a missing file has none."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return
        self._offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._take(from_mapping(json.loads(line)))

    def _take(self, record: Record | None) -> None:
        if isinstance(record, Operation):
            self.operations.append(record)
            self.not_ok += record.outcome != Outcome.OK
        elif record is not None:
            self.others.append(record)
