"""Find the tasks that the record of earlier processes leaves started and never ended.

A worker stores how a task went and then records it. Killed in between, it leaves a result
without a record, which would look like lost work to everybody who reads the record alone.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shadow_atlas.portal_queries.catalogue import Layer

TASKS_MAX = 1000  # many kills' worth: each leaves at most as many as tasks run at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A task whose newest record says that it was started.

    Args:
        job_id: The job that it belongs to.
        state: Postal code.
        layer: Kind of boundary.
    """

    job_id: int
    state: str
    layer: Layer


def unfinished_tasks(folder: Path) -> list[Unfinished]:
    """Read every event file of `folder`, and return the tasks without an end.

    All services share the folder, so what another worker has ended since is not returned.
    """
    newest: dict[str, tuple[int, str]] = {}
    for t_ns, key, what in _work_items(sorted(folder.glob("*.ndjson"))):
        if t_ns >= newest.get(key, (0, ""))[0]:
            newest[key] = (t_ns, what)
    started = [key for key, (_, what) in newest.items() if what == "started"]
    return [task for key in started[-TASKS_MAX:] if (task := _task(key)) is not None]


def _work_items(paths: Iterable[Path]) -> Iterator[tuple[int, str, str]]:
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                # Parsing every line of a long run would take minutes; these are few.
                if b'"work_item"' in line and line.endswith(b"\n"):
                    record = json.loads(line)
                    yield record["t_ns"], record["key"], record["what"]


def _task(key: str) -> Unfinished | None:
    """Read a key.

    >>> _task("7:WI:county")
    Unfinished(job_id=7, state='WI', layer=<Layer.COUNTY: 'county'>)
    >>> _task("of another service") is None
    True
    """
    job, _, rest = key.partition(":")
    state, _, layer = rest.partition(":")
    if not job.isdecimal() or layer not in tuple(Layer):
        return None
    return Unfinished(job_id=int(job), state=state, layer=Layer(layer))
