"""A worker that was killed between storing a result and recording it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from shadow_atlas.batch.record_mending import mend_record
from shadow_atlas.batch.tasks import Outcome, TaskStatus
from shadow_atlas.batch.unfinished_records import Unfinished, unfinished_tasks
from shadow_atlas.portal_queries.catalogue import Layer
from tests.shadow_atlas.batch.rig import BatchRig, is_complete


def _write(folder: Path, name: str, *items: tuple[str, str]) -> None:
    lines = [
        json.dumps({"t_ns": number, "kind": "work_item", "key": key, "what": what})
        for number, (key, what) in enumerate(items)
    ]
    (folder / name).write_text("".join(f"{line}\n" for line in lines))


def test_only_tasks_whose_newest_record_is_a_start_are_unfinished(tmp_path):
    _write(
        tmp_path,
        "batch.1.ndjson",
        ("1:WI:county", "accepted"),
        ("1:WI:county", "started"),
        ("1:NE:county", "started"),
        ("1:NE:county", "finished"),
        ("1:CO:county", "started"),
        ("1:CO:county", "requeued"),
        ("1:DC:county", "accepted"),
    )

    assert unfinished_tasks(tmp_path) == [Unfinished(job_id=1, state="WI", layer=Layer.COUNTY)]


def test_what_another_worker_has_ended_since_is_finished(tmp_path):
    _write(tmp_path, "batch.1.ndjson", ("1:WI:county", "started"))
    _write(tmp_path, "other.1.ndjson", ("9:WI:county", "started"), ("1:WI:county", "finished"))

    keys = [(task.job_id, task.state) for task in unfinished_tasks(tmp_path)]

    assert keys == [(9, "WI")]


def test_half_a_line_at_the_end_of_a_file_is_no_record(tmp_path):
    _write(tmp_path, "batch.1.ndjson", ("1:WI:county", "started"))
    with (tmp_path / "batch.1.ndjson").open("a") as file:
        file.write('{"kind": "work_item", "key": "1:WI:cou')

    assert len(unfinished_tasks(tmp_path)) == 1


class Recorder:
    """Takes what is mended, in place of the service's own record."""

    def __init__(self) -> None:
        self.mendings: list[tuple[str, str]] = []

    def mended(self, task: Unfinished, outcome: Outcome) -> None:
        self.mendings.append((task.state, outcome.status.value))


class Outcomes:
    """Knows how the tasks of each state stand."""

    def __init__(self, **statuses: TaskStatus | None) -> None:
        self._statuses = statuses

    async def outcome(self, _job_id: int, state: str, _layer: Layer) -> Outcome | None:
        status = self._statuses[state]
        return None if status is None else Outcome(status=status, attempts=1, source=None)


def test_stored_ends_are_recorded_and_claimed_tasks_are_left_to_their_next_worker(tmp_path):
    keys = [(f"1:{state}:county", "started") for state in ("CO", "CT", "DC", "NE", "WI")]
    _write(tmp_path, "batch.1.ndjson", *keys)
    recorder: Any = Recorder()
    store = Outcomes(
        WI=None,
        NE=TaskStatus.DONE,
        CO=TaskStatus.DEGRADED,
        DC=TaskStatus.FAILED,
        CT=TaskStatus.QUEUED,
    )

    mended = asyncio.run(mend_record(tmp_path, store=store, work_items=recorder))

    assert mended == 4
    assert dict(recorder.mendings) == {
        "NE": "done",
        "CO": "degraded",
        "DC": "failed",
        "CT": "queued",
    }


@pytest.mark.slow
def test_the_next_incarnation_writes_the_record_that_a_kill_has_cut_off(rig: BatchRig):
    settings = rig.settings(ATLAS_EVENT_DIR=str(rig.folder))

    async def first() -> str:
        async with rig.running(settings) as service:
            job_id = await service.submit(["DC"], ["county"])
            await service.until(job_id, is_complete)
            return job_id

    async def later(incarnation: str) -> list[dict[str, Any]]:
        async with rig.running(settings, incarnation=incarnation) as service:
            other = await service.submit(["CT"], ["county"])
            await service.until(other, is_complete)  # mending comes before any work
            return [e for e in service.events("work_item") if e["job"] == job_id]

    job_id = asyncio.run(first())
    path = rig.folder / "batch.1.ndjson"
    kept = [line for line in path.read_text().splitlines() if '"finished"' not in line]
    path.write_text("".join(f"{line}\n" for line in kept))
    (record,) = asyncio.run(later("2"))
    again = asyncio.run(later("3"))

    assert record["key"] == f"{job_id}:DC:county"
    assert (record["what"], record["attempt"], record["source"]) == ("finished", 1, "primary")
    assert again == []
