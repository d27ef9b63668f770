"""Hold what the batch service needs to know, validated and already scaled."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Self

from resilience import BreakerConfig, StackConfig, scaled
from shadow_atlas.batch.job_request import KeyReused
from shadow_atlas.environment import Address, EnvironmentReader
from shadow_atlas.portal_queries.catalogue import PORTALS, TIGER
from shadow_atlas.presets import PORTAL_REQUEST, STATE_EXTRACTION
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.settings import DatabaseSettings, require_room_for_attempts
from shadow_atlas.tuning import Tuning

PORTAL_NAMES = (*(portal.name for portal in PORTALS), TIGER.name)
BODY_LIMIT_BYTES = 32 * 1024 * 1024  # the largest state legislature, unsimplified, is about 20 MiB
PAGE_SIZE = 1000  # ArcGIS Enterprise's default maxRecordCount: larger pages are capped anyway

JOB_STORE = StackConfig(
    name="job-store",
    # Statements take a millisecond, and the loops that make them come back by themselves: the
    # circuit only has to spare the callers the wait for a database that is gone.
    breaker=BreakerConfig(failure_threshold=5, open_duration_s=5.0, excluded=(KeyReused,)),
)
"""One transaction on the job tables; no retry, because the queue itself repeats what failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """How tasks are claimed, repeated and given up; every time in seconds.

    Args:
        concurrency: Tasks that run at the same time; the orchestrator's bulkhead has five slots.
        poll_s: Pause between looks for due tasks; a new job wakes the queue at once.
        lease_s: How long a claim holds without a heartbeat.
        heartbeat_s: Pause between heartbeats, at most a third of the lease: two may fail.
        retry_initial_s: Pause after the first failed attempt of a task; doubles each time.
        retry_max_s: Longest such pause.
        attempts_max: Attempts of a task before it is failed.
        rejected_wait_s: Pause after a local rejection that cannot say when there is room again.
        refresh_initial_s: Pause before a degraded result is refreshed; doubles each time.
        refresh_max_s: Longest such pause.
        refreshes_max: Refreshes that may fail before a degraded result stands.
        lost_claims_max: Times that a worker may die over a task before it is failed: whatever
            kills workers must not do so for ever.
        age_max_s: Age at which a task that was only ever rejected locally is failed.
        drain_s: Time that running tasks get after SIGTERM before they go back to the queue.

    Raises:
        ValueError: If a time is not positive, or a heartbeat too rare for its lease.
    """

    concurrency: int = 5
    poll_s: float = 0.5
    lease_s: float = 20.0
    heartbeat_s: float = 5.0
    retry_initial_s: float = 5.0
    retry_max_s: float = 300.0
    attempts_max: int = 5
    rejected_wait_s: float = 1.0
    refresh_initial_s: float = 60.0
    refresh_max_s: float = 3600.0
    refreshes_max: int = 8
    lost_claims_max: int = 5
    age_max_s: float = 24 * 3600.0
    drain_s: float = 5.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{each.name}={value!r} must be finite and above 0")
        if self.heartbeat_s * 3 > self.lease_s:
            raise ValueError(
                f"heartbeat_s={self.heartbeat_s!r} must be at most lease_s={self.lease_s!r} / 3"
            )

    def scaled(self, time_scale: float) -> Self:
        """Return the settings with every time multiplied by `time_scale`; counts stay."""
        times = {
            each.name: getattr(self, each.name) * time_scale
            for each in fields(self)
            if each.name.endswith("_s")
        }
        return replace(self, **times)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """What the batch service needs.

    Args:
        service: What every service is told.
        database: Where jobs and results are kept.
        portals: Address of each portal by name, TIGERweb's included.
        extraction: Protection of one extraction, over all portals.
        request: Protection of one portal's endpoint.
        store: Protection of the job tables.
        queue: How tasks run.
        page_size: Features asked for at once.
        body_limit_bytes: Largest body that is read from a portal.

    Raises:
        ValueError: If an address is missing, or a total timeout cuts an attempt.
    """

    service: ServiceSettings
    database: DatabaseSettings
    portals: Mapping[str, Address]
    extraction: StackConfig = STATE_EXTRACTION
    request: StackConfig = PORTAL_REQUEST
    store: StackConfig = JOB_STORE
    queue: QueueSettings = field(default_factory=QueueSettings)
    page_size: int = PAGE_SIZE
    body_limit_bytes: int = BODY_LIMIT_BYTES

    def __post_init__(self) -> None:
        missing = [name for name in PORTAL_NAMES if name not in self.portals]
        if missing:
            raise ValueError(f"portals without an address: {', '.join(missing)}")
        require_room_for_attempts(self.request.retry)

    @property
    def attempt_timeout_s(self) -> float:
        """Bound on one attempt at a portal, seconds."""
        retry = self.request.retry
        if retry is None or retry.attempt_timeout_s is None:
            raise ValueError("the protection of a portal needs an attempt timeout")
        return retry.attempt_timeout_s

    @classmethod
    def from_environment(cls, mapping: Mapping[str, str]) -> Self:
        """Read the settings of a batch process.

        Raises:
            ConfigurationError: If variables are missing or wrong; it names all of them.
        """
        reader = EnvironmentReader(mapping)
        service = ServiceSettings.read(reader, default_app="shadow_atlas.batch:create_app")
        scale = service.time_scale
        database = DatabaseSettings.read(reader, time_scale=scale)
        tuning = Tuning.read(reader)
        portals = {name: reader.address(f"ATLAS_{name.upper()}_ADDRESS") for name in PORTAL_NAMES}
        reader.finish()
        return cls(
            service=service,
            database=database,
            portals=portals,
            extraction=scaled(tuning.of_bulkhead(STATE_EXTRACTION), scale),
            request=scaled(tuning.of_retry(tuning.of_breaker(PORTAL_REQUEST)), scale),
            store=scaled(JOB_STORE, scale),
            queue=QueueSettings().scaled(scale),
        )
