"""What is attached to an Allure result: bounded, so that a browser opens a report of many runs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.model.records import NS_PER_S
from harness.model.run import RunResult
from harness.reporting.digest import Digest
from harness.reporting.exchanges import Exchange
from harness.reporting.json_report import run_json
from harness.reporting.logs import log_cuts
from harness.reporting.quantities import MS_PER_S, seconds
from harness.reporting.run_report import RunReport
from harness.reporting.tables_csv import bins_csv, exchanges_csv

HTTP_EXCHANGE = "application/vnd.allure.http+json"
LOGS = "logs"  # folder of a run
_FILE_MAX_BYTES = 100_000  # a scenario is a page or two
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Something attached to a result.

    Args:
        name: Title in the report.
        mime: Media type, which decides how it is shown.
        extension: Ending of the file.
        body: The content.
    """

    name: str
    mime: str
    extension: str
    body: bytes


def documents_of(
    result: RunResult, report: RunReport, digest: Digest | None, figure: str | None
) -> list[Document]:
    """Return what is attached, in the order in which people need it.

    The history itself stays in the run's folder: it may be larger than all reports together.
    """
    found = []
    if figure is not None:
        found.append(_text("timeline", "image/svg+xml", "svg", figure))
    found.append(_text("replay command", "text/plain", "txt", report.replay + "\n"))
    if digest is not None:
        found += [*_exchanges(digest), *_series(digest), *_logs(result, digest), *_sample(digest)]
    found.append(_text("findings", "application/json", "json", run_json(report)))
    return found + _files(result)


def _exchanges(digest: Digest) -> list[Document]:
    """Return the requests around the worst case, one by one and as a table."""
    found = [
        _text(exchange_title(item), HTTP_EXCHANGE, "json", _http(item, digest.zero_unix_ns))
        for item in digest.around
    ]
    if found:
        csv = exchanges_csv(digest.around)
        found.append(_text("requests around the worst case", "text/csv", "csv", csv))
    return found


def _series(digest: Digest) -> list[Document]:
    """Return the sums per stretch of time, if there was anything to sum up."""
    if digest.timeline.is_empty:
        return []
    title = f"figures per {digest.timeline.bin_s:g} s"
    return [_text(title, "text/csv", "csv", bins_csv(digest.timeline.bins))]


def _sample(digest: Digest) -> list[Document]:
    """Return some operations of the whole run, if there were any."""
    if not digest.sample:
        return []
    csv = exchanges_csv(digest.sample)
    return [_text(f"sample of {len(digest.sample)} operations", "text/csv", "csv", csv)]


def exchange_title(exchange: Exchange) -> str:
    """Return when, what and how it ended; the worst case says that it is."""
    ended = f"{exchange.outcome}{f' {exchange.reason}' if exchange.reason else ''}"
    mark = "worst case, " if exchange.is_worst else ""
    at = f"{exchange.t_ns / NS_PER_S:.3f} s"
    return f"{mark}{at}: {exchange.method} {ended} after {seconds(exchange.latency_s)}"


def _http(exchange: Exchange, zero_unix_ns: int) -> str:
    """Return the document that Allure 3 shows as a request with its answer."""
    start_ms = (zero_unix_ns + exchange.t_ns) // _NS_PER_MS
    asked = {"x-atlas-call-id": exchange.call_id, "x-client-id": exchange.client}
    document: dict[str, Any] = {
        "start": start_ms,
        "stop": start_ms + round(exchange.latency_s * MS_PER_S),
        "request": {
            "method": exchange.method,
            "url": exchange.target,
            "headers": _pairs({**asked, "attempts recorded": str(exchange.attempts)}),
        },
    }
    if exchange.status is not None:
        answered = {
            "x-atlas-source": exchange.source,
            "x-atlas-rejected-by": exchange.rejected_by,
        }
        document["response"] = {
            "status": str(exchange.status),
            "statusText": exchange.outcome,
            "headers": _pairs(answered),
        }
    if exchange.reason:
        document["error"] = {"name": exchange.outcome, "message": exchange.reason}
    return json.dumps(document, indent=2) + "\n"


def _pairs(values: dict[str, str | None] | dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items() if value]


def _logs(result: RunResult, digest: Digest) -> list[Document]:
    """Return the logs of each service while faults were in force, or of the whole run."""
    timeline, zero_s = digest.timeline, digest.zero_unix_ns / NS_PER_S
    start_s = min((fault.start_s for fault in timeline.faults), default=0.0)
    end_s = max((fault.end_s for fault in timeline.faults), default=timeline.end_s)
    cuts = log_cuts(result.settings.folder / LOGS, zero_s + start_s, zero_s + end_s)
    return [_text(f"log of {cut.service}", "text/plain", "txt", cut.text + "\n") for cut in cuts]


def _files(result: RunResult) -> list[Document]:
    """Return scenario and system as they were run, if they are there and not too large."""
    named: list[tuple[str, Path]] = [
        ("scenario", result.scenario.path),
        ("system", result.scenario.system.path),
    ]
    return [
        Document(name=name, mime="application/yaml", extension="yaml", body=path.read_bytes())
        for name, path in named
        if path.is_file() and path.stat().st_size <= _FILE_MAX_BYTES
    ]


def _text(name: str, mime: str, extension: str, body: str) -> Document:
    return Document(name=name, mime=mime, extension=extension, body=body.encode())
