"""Write what a figure shows as CSV, for people who want the numbers."""

import csv
import io
from collections.abc import Iterable, Sequence

from harness.model.records import NS_PER_S
from harness.reporting.exchanges import Exchange
from harness.reporting.quantities import MS_PER_S
from harness.reporting.series import Bin


def bins_csv(bins: Iterable[Bin]) -> str:
    """Return one row per stretch of time, latencies in milliseconds."""
    heading = ("start_s", "total", "failed", "rejected", "unknown", "p50_ms", "p99_ms")
    rows = [
        (f"{b.start_s:g}", b.total, b.failed, b.rejected, b.unknown, _ms(b.p50_s), _ms(b.p99_s))
        for b in bins
    ]
    return _csv(heading, rows)


def exchanges_csv(exchanges: Iterable[Exchange]) -> str:
    """Return one row per operation, latencies in milliseconds."""
    what = ("t_s", "load", "request", "outcome", "reason", "status", "source")
    heading = (*what, "latency_ms", "attempts", "call_id")
    return _csv(heading, [_exchange(item) for item in exchanges])


def _exchange(item: Exchange) -> Sequence[object]:
    t_s, request = f"{item.t_ns / NS_PER_S:.3f}", f"{item.method} {item.target}"
    status = "" if item.status is None else item.status
    ended = (t_s, item.load, request, item.outcome, item.reason, status, item.source or "")
    return (*ended, _ms(item.latency_s), item.attempts, item.call_id)


def _ms(value_s: float | None) -> str:
    return "" if value_s is None else f"{value_s * MS_PER_S:.1f}"


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue()
