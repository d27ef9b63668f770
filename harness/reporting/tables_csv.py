"""Write what a figure shows as CSV, for people who want the numbers."""

import csv
import io
from collections.abc import Iterable, Sequence

from harness.model.history import History
from harness.model.records import NS_PER_S, Operation
from harness.reporting.quantities import MS_PER_S
from harness.reporting.series import Bin

_AROUND = 5  # operations before and after the worst case: enough to see what changed


def bins_csv(bins: Iterable[Bin]) -> str:
    """Return one row per stretch of time, latencies in milliseconds."""
    heading = ("start_s", "total", "failed", "rejected", "unknown", "p50_ms", "p99_ms")
    rows = [
        (f"{b.start_s:g}", b.total, b.failed, b.rejected, b.unknown, _ms(b.p50_s), _ms(b.p99_s))
        for b in bins
    ]
    return _csv(heading, rows)


def around_csv(history: History, at_ns: int) -> str:
    """Return the operations around an instant, the nearest `_AROUND` on either side."""
    operations = history.operations()
    before = [op for op in operations if op.t_ns < at_ns][-_AROUND:]
    after = [op for op in operations if op.t_ns >= at_ns][: _AROUND + 1]
    heading = ("t_s", "load", "request", "outcome", "reason", "status", "latency_ms", "call_id")
    return _csv(heading, [_operation(operation) for operation in before + after])


def _operation(op: Operation) -> Sequence[object]:
    t_s, request = f"{op.t_ns / NS_PER_S:.3f}", f"{op.method} {op.target}"
    status = "" if op.status is None else op.status
    return (t_s, op.load, request, op.outcome, op.reason, status, _ms(op.latency_s), op.call_id)


def _ms(value_s: float | None) -> str:
    return "" if value_s is None else f"{value_s * MS_PER_S:.1f}"


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue()
