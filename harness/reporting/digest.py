"""What reports take from a history: computed once per run, small, and kept beside the history.

A history may hold hundreds of megabytes; a digest is bounded whatever a run did, so a suite of
hundreds of runs is reported in seconds and without reading any history again.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from harness.model.history import History, read_history
from harness.model.records import Attempt, ClockRecord
from harness.model.run import RunResult
from harness.reporting.exchanges import Exchange, around_worst, sample_of
from harness.reporting.measurement import health_of
from harness.reporting.phase_events import PhaseEvents, phase_events
from harness.reporting.plain_json import frozen, thawed
from harness.reporting.timeline import Timeline, timeline_of

DIGEST_FILE = "digest.json"
_SCHEMA = 2  # 1 had columns with named parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What reports take from a history.

    Args:
        schema: Version of this form.
        key: What it is about: run, verdict and findings.
        zero_unix_ns: Wall-clock time of the start of the run.
        timeline: The picture.
        phases: Phases and what happened in them.
        health: Facts about the measurement itself.
        around: The worst case and its neighbours.
        sample: Operations of the whole run.
    """

    schema: int = _SCHEMA
    key: str
    zero_unix_ns: int
    timeline: Timeline
    phases: tuple[PhaseEvents, ...] = ()
    health: tuple[tuple[str, str], ...] = ()
    around: tuple[Exchange, ...] = ()
    sample: tuple[Exchange, ...] = ()


def digest_of(result: RunResult, history: History) -> Digest:
    """Return the digest of a run: pure, so that the same history gives the same one."""
    attempts = dict(Counter(attempt.call_id for attempt in history.of(Attempt)))
    operations = history.operations()
    return Digest(
        key=_key(result),
        zero_unix_ns=_zero_unix_ns(result, history),
        timeline=timeline_of(result, history),
        phases=phase_events(history),
        health=tuple(health_of(history)),
        around=around_worst(operations, result.findings, attempts),
        sample=sample_of(operations, attempts),
    )


def _key(result: RunResult) -> str:
    text = repr((result.settings.run_id, result.verdict, result.findings, result.figures))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _zero_unix_ns(result: RunResult, history: History) -> int:
    """Return the wall-clock time of the run's zero; services told both of their clocks."""
    for record in history.of(ClockRecord):
        return record.wall_unix_ns - record.t_ns
    return result.started_unix_ns


def write_digest(result: RunResult, history: History) -> Digest:
    """Write the digest into the run's folder, where `digest_for` finds it."""
    digest = digest_of(result, history)
    result.settings.folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(thawed(digest), separators=(",", ":"))
    (result.settings.folder / DIGEST_FILE).write_text(text + "\n", encoding="utf-8")
    return digest


def digest_for(result: RunResult) -> Digest | None:
    """Return the digest of a run: the saved one, or made from its history; None without both."""
    saved = _saved(result)
    if saved is not None:
        return saved
    if result.history_path is None or not result.history_path.is_file():
        return None
    with result.history_path.open(encoding="utf-8") as lines:
        return write_digest(result, read_history(lines))


def _saved(result: RunResult) -> Digest | None:
    """Return the saved digest; None if it is missing, of another version, or about another run."""
    path: Path = result.settings.folder / DIGEST_FILE
    try:
        digest = frozen(Digest, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None  # it is only a short cut, the history tells the same
    return digest if (digest.schema, digest.key) == (_SCHEMA, _key(result)) else None
