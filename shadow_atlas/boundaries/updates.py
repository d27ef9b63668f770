"""Refresh the boundaries now and then; whatever goes wrong, the old ones stay in force."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from shadow_atlas.boundaries.counties import County
from shadow_atlas.boundaries.county_source import CountySource
from shadow_atlas.boundaries.refreshes import Refresh, RefreshRecord, What, reason_of
from shadow_atlas.boundaries.store import SOURCE, BoundaryStore
from shadow_atlas.boundaries.versions import CurrentBoundaries
from shadow_atlas.clock import Clock

JITTER = 0.1  # so that instances that were started together do not ask together


class Shapes(Protocol):
    """Keeps parsed shapes for lookups."""

    def adopt(self, counties: Sequence[County]) -> None:
        """Look up in these counties from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When refreshes are due.

    Args:
        clock: Waits.
        rng: Draws call ids and jitter.
        refresh_s: Age at which the set in force is refreshed, seconds.
        retry_s: Pause after a refresh that changed nothing, seconds.
    """

    clock: Clock
    rng: random.Random
    refresh_s: float
    retry_s: float

    async def wait_until_due(self, age_s: float | None) -> None:
        """Wait until a set of this age is due; an unknown one is due at once."""
        if age_s is not None:
            await self._wait(max(0.0, self.refresh_s - age_s))

    async def wait_to_retry(self) -> None:
        """Wait before the next try."""
        await self._wait(self.retry_s)

    def call_id(self) -> str:
        """Draw the call id of a refresh."""
        return f"boundaries-{self.rng.getrandbits(64):016x}"

    async def _wait(self, pause_s: float) -> None:
        await self.clock.sleep(pause_s * (1.0 + JITTER * self.rng.random()))


class BoundaryUpdates:
    """Refresh the boundaries: fetch all, check all, replace all.

    Args:
        source: Where new boundaries come from.
        store: Where the set in force is.
        shapes: Takes the parsed shapes of a new set.
        current: Told of a new version.
        record: Told of each step.
        pace: When refreshes are due.
    """

    def __init__(
        self,
        *,
        source: CountySource,
        store: BoundaryStore,
        shapes: Shapes,
        current: CurrentBoundaries,
        record: RefreshRecord,
        pace: Pace,
    ) -> None:
        self.source = source
        self.record = record
        self._store = store
        self._shapes = shapes
        self._current = current
        self._pace = pace
        self._turn = asyncio.Lock()
        self._is_running = False

    async def run(self) -> None:
        """Refresh whenever it is due, until cancelled."""
        while True:
            await self._pace.wait_until_due(self._current.age_s)
            refresh = await self.refresh()
            if refresh.what is not What.REPLACED:
                await self._pace.wait_to_retry()

    async def refresh(self, *, is_forced: bool = False) -> Refresh:
        """Refresh the boundaries if they are due and no other instance is at it.

        Args:
            is_forced: Do it however young they are; not while another refresh runs.

        Returns:
            How it ended; what went wrong is logged and recorded, never raised.
        """
        call_id = self._pace.call_id()
        try:
            claim = await self._claim(0.0 if is_forced else self._pace.refresh_s)
        except Exception as error:  # noqa: BLE001 - whatever it is, the old boundaries stay
            return self._failed(call_id, error)
        if claim is None:
            return Refresh(what=What.SKIPPED)
        try:
            return await self._refresh(claim, call_id)
        finally:
            self._is_running = False

    async def _claim(self, older_than_s: float) -> int | None:
        async with self._turn:  # short: whoever is asked to refresh waits for a mere look
            if self._is_running:
                return None
            claim = await self._store.claim(older_than_s=older_than_s)
            await self._learn()
            self._is_running = claim is not None
            return claim

    async def _refresh(self, claim: int, call_id: str) -> Refresh:
        self.record.started(call_id)
        try:
            refresh = await self._replace(claim, call_id)
        except Exception as error:  # noqa: BLE001 - likewise
            refresh = self._failed(call_id, error)
        await self._release(claim)
        return refresh

    async def _replace(self, claim: int, call_id: str) -> Refresh:
        counties = await self.source.fetch(call_id)
        replaced = await self._store.replace(claim, counties)
        self._shapes.adopt(counties)
        self._current.learn(number=replaced.number, source=SOURCE, age_s=0.0)
        refresh = Refresh(
            what=What.REPLACED,
            version=replaced.number,
            areas=replaced.areas,
            changed=replaced.changed,
        )
        self.record.ended(call_id, refresh)
        return refresh

    async def _learn(self) -> None:
        row = await self._store.current()
        if row is not None:
            self._current.learn(number=row["version"], source=row["source"], age_s=row["age_s"])

    async def _release(self, claim: int) -> None:
        try:
            await self._store.release(claim)
        except Exception as error:  # noqa: BLE001 - it runs out by itself
            structlog.get_logger().warning("cannot release the lease", error=repr(error))

    def _failed(self, call_id: str, error: Exception) -> Refresh:
        structlog.get_logger().warning("the old boundaries stay", error=repr(error))
        refresh = Refresh(what=What.FAILED, reason=reason_of(error))
        self.record.ended(call_id, refresh)
        return refresh
