"""The append-only record of a run: all that checks may see."""

import dataclasses
import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from harness.model.records import KINDS, NS_PER_S, FaultRecord, Note, Operation, Phase, Record

SCHEMA_VERSION = 1
SCHEMA_NOTE = "schema_version"  # the note that opens every history

R = TypeVar("R", bound=Record)


def to_json(record: Record) -> str:
    """Return the history line of a record, without the newline; keys in order of definition."""
    values = {item.name: getattr(record, item.name) for item in dataclasses.fields(record)}
    document = {"kind": record.kind, **values}
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


_NAMES = {kind: frozenset(f.name for f in dataclasses.fields(cls)) for kind, cls in KINDS.items()}


def from_mapping(values: Mapping[str, Any]) -> Record | None:
    """Return the record that `values` describe; None if the kind is not known to this version.

    Unknown fields are dropped: a newer writer may say more than we can read.

    Raises:
        TypeError: If a required field is missing.
    """
    kind = values.get("kind")
    cls = KINDS.get(str(kind))
    if cls is None:
        return None
    names = _NAMES[str(kind)]
    return cls(**{key: value for key, value in values.items() if key in names})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open stretch of time [start_ns, end_ns)."""

    start_ns: int
    end_ns: int

    def __contains__(self, t_ns: int) -> bool:
        """Say whether an instant lies within."""
        return self.start_ns <= t_ns < self.end_ns

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return (self.end_ns - self.start_ns) / NS_PER_S


class History:
    """Immutable view of a run's records, sorted by time, with the questions that checks ask."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = tuple(sorted(records, key=lambda record: record.t_ns))
        self._by_kind: dict[type[Any], tuple[Any, ...]] = {}

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        """Iterate over all records in order of time."""
        return iter(self._records)

    def of(self, kind: type[R], where: Callable[[R], bool] | None = None) -> tuple[R, ...]:
        """Return all records of one kind in order of time, those that satisfy `where`."""
        if kind not in self._by_kind:
            self._by_kind[kind] = tuple(r for r in self._records if isinstance(r, kind))
        found: tuple[R, ...] = self._by_kind[kind]
        return found if where is None else tuple(record for record in found if where(record))

    def within(self, kind: type[R], window: Window) -> tuple[R, ...]:
        """Return the records of one kind whose `t_ns` lies in the window."""
        found = self.of(kind)
        start = bisect_left(found, window.start_ns, key=lambda record: record.t_ns)
        end = bisect_left(found, window.end_ns, key=lambda record: record.t_ns)
        return found[start:end]

    def phase(self, name: str) -> Window | None:
        """Return the window of a phase; None if the run did not come that far."""
        for phase in self.of(Phase):
            if phase.name == name:
                return Window(start_ns=phase.t_ns, end_ns=phase.end_ns)
        return None

    def run_window(self) -> Window | None:
        """Return the stretch from the first phase's start to the last phase's end."""
        phases = self.of(Phase)
        if not phases:
            return None
        return Window(start_ns=phases[0].t_ns, end_ns=max(phase.end_ns for phase in phases))

    def operations(self, load: str | None = None, window: Window | None = None) -> list[Operation]:
        """Return operations by intended start, of one load if named, in a window if given."""
        found = self.of(Operation) if window is None else self.within(Operation, window)
        return [operation for operation in found if load is None or operation.load == load]

    def fault_windows(self, fault_id: str | None = None) -> dict[str, Window]:
        """Return when each fault was in force, from read back to healed, keyed by fault id.

        A fault that was never healed lasts to the end of the run.
        """
        run = self.run_window()
        end_ns = run.end_ns if run else (self._records[-1].t_ns if self._records else 0)
        starts: dict[str, int] = {}
        windows: dict[str, Window] = {}
        for record in self.of(FaultRecord):
            if fault_id is not None and record.fault_id != fault_id:
                continue
            if record.what == "applied":
                starts[record.fault_id] = record.t_ns
                windows[record.fault_id] = Window(start_ns=record.t_ns, end_ns=end_ns)
            elif record.what == "healed" and record.fault_id in starts:
                windows[record.fault_id] = Window(
                    start_ns=starts[record.fault_id], end_ns=record.t_ns
                )
        return windows

    def last_heal_ns(self) -> int | None:
        """Return when the last fault was read back as healed; None without a fault."""
        healed = [record.t_ns for record in self.of(FaultRecord) if record.what == "healed"]
        return max(healed, default=None)


def _refuse_newer_schema(record: Record) -> None:
    if not isinstance(record, Note) or record.name != SCHEMA_NOTE:
        return
    if isinstance(record.value, int) and record.value > SCHEMA_VERSION:
        raise ValueError(
            f"the history has schema {record.value}, this version reads up to {SCHEMA_VERSION}; "
            "use a newer atlas-chaos"
        )


def read_history(lines: Iterable[str]) -> History:
    """Return the history that `lines` of NDJSON hold.

    Raises:
        ValueError: If a line is not a record, naming its number, or the schema is a newer one.
    """
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            record = from_mapping(values)
        except (json.JSONDecodeError, TypeError, AttributeError) as error:
            raise ValueError(f"history line {number} is no record: {error}") from error
        if record is not None:
            _refuse_newer_schema(record)
            records.append(record)
    return History(records)
