"""Turn rows of the job tables into values."""

from collections.abc import Sequence
from typing import Any

from shadow_atlas.batch.extraction import Extraction, Source
from shadow_atlas.batch.tasks import Claim, JobStatus, TaskStatus
from shadow_atlas.portal_queries.catalogue import Layer
from shadow_atlas.portal_queries.geojson import Boundaries


def job_status_of_rows(rows: Sequence[Any]) -> JobStatus:
    """Read counts by status."""
    return JobStatus(
        counts={TaskStatus(row["status"]): row["tasks"] for row in rows},
        pending=sum(row["pending"] for row in rows),
    )


def claim_of_row(row: Any) -> Claim:
    """Read a task that was just claimed."""
    return Claim(
        job_id=row["job_id"],
        state=row["state"],
        layer=Layer(row["layer"]),
        status=TaskStatus(row["status"]),
        claim=row["claim"],
        attempts=row["attempts"],
        refreshes=row["refreshes"],
        lost_claims=row["lost_claims"],
        age_s=row["age_s"],
    )


def stale_of_row(row: Any, state: str, layer: Layer) -> Extraction:
    """Read a last good extraction."""
    return Extraction(
        state=state,
        layer=layer,
        source=Source.STALE_CACHE,
        portal=row["portal"],
        boundaries=Boundaries(
            text=row["geojson"], feature_count=row["feature_count"], sha256=row["sha256"]
        ),
        attempts=0,
        age_s=max(0.0, row["age_s"]),
    )


def result_of_row(row: Any) -> dict[str, object]:
    """Read a task with its result, in the form that answers have."""
    extracted_at = row["extracted_at"]
    return {
        "state": row["state"],
        "layer": row["layer"],
        "status": row["status"],
        "attempts": row["attempts"],
        "refreshes": row["refreshes"],
        "reason": row["reason"],
        "source": row["source"],
        "portal": row["portal"],
        "feature_count": row["feature_count"],
        "sha256": row["sha256"],
        "extracted_at": None if extracted_at is None else extracted_at.isoformat(),
    }
