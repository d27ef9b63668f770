"""Claim due tasks, run them, settle them: the loop that makes jobs come true.

A claim is a lease. A worker that dies loses nothing: its tasks are due again when their leases
are over, and whatever it still does afterwards is fenced off by the newer claim.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from resilience.errors import is_local_rejection
from shadow_atlas.batch.extraction import Call, Extraction
from shadow_atlas.batch.orchestrator import BatchOrchestrator, is_permanent
from shadow_atlas.batch.settings import QueueSettings
from shadow_atlas.batch.settling import (
    settle_failure,
    settle_killer,
    settle_rejection,
    settle_return,
    settle_success,
)
from shadow_atlas.batch.tasks import Claim, Settlement
from shadow_atlas.batch.work_items import WorkItems
from shadow_atlas.clock import Clock

SETTLE_TRIES = 20  # with the pause of a poll between them: longer than a restart of the database
RETURN_TRIES = 3  # the service stops, and the lease does the same a little later


class ClaimStore(Protocol):
    """Where tasks are claimed and settled; raises when it cannot be reached."""

    async def claim(self, *, count: int, lease_s: float) -> Sequence[Claim]:
        """Take up to `count` due tasks."""
        ...

    async def extend(self, claims: Sequence[int], *, lease_s: float) -> frozenset[int]:
        """Prolong leases; returns those that still hold."""
        ...

    async def settle(self, claim: Claim, settlement: Settlement) -> bool:
        """Store how a task went; False if the claim no longer holds."""
        ...


class Worker:
    """Run tasks of the queue, a bounded number at a time.

    Args:
        store: The queue.
        orchestrator: Runs one extraction.
        settings: Concurrency, leases, pauses.
        clock: Paces heartbeats and repeated settlements.
        work_items: Records the life of each task.
    """

    def __init__(
        self,
        *,
        store: ClaimStore,
        orchestrator: BatchOrchestrator,
        settings: QueueSettings,
        clock: Clock,
        work_items: WorkItems,
    ) -> None:
        self._store = store
        self._orchestrator = orchestrator
        self._settings = settings
        self._clock = clock
        self._work_items = work_items
        self._running: dict[int, asyncio.Task[None]] = {}
        self._settling: set[int] = set()
        self._wake = asyncio.Event()

    @property
    def running(self) -> int:
        """Number of tasks that run now."""
        return len(self._running)

    def wake(self) -> None:
        """Look for due tasks at once."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then let running tasks end or give them back."""
        async with asyncio.TaskGroup() as group:
            attendants = [
                group.create_task(self._beat()),
                group.create_task(self._wake_on(stopping)),
            ]
            while not stopping.is_set():
                self._wake.clear()
                for claim in await self._claim():
                    self._start(group, claim)
                await self._pause()
            await self._drain()
            for attendant in attendants:
                attendant.cancel()

    def _start(self, group: asyncio.TaskGroup, claim: Claim) -> None:
        task = group.create_task(self._work(claim))
        self._running[claim.claim] = task
        task.add_done_callback(lambda _task: self._forget(claim))

    def _forget(self, claim: Claim) -> None:
        self._running.pop(claim.claim, None)
        self._settling.discard(claim.claim)
        self._wake.set()  # a slot is free

    async def _claim(self) -> Sequence[Claim]:
        count = self._settings.concurrency - len(self._running)
        if count <= 0:
            return ()
        try:
            return await self._store.claim(count=count, lease_s=self._settings.lease_s)
        except Exception as error:  # noqa: BLE001 - the queue is looked at again after a pause
            _log("cannot claim tasks", error)
            return ()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll_s):
                await self._wake.wait()
        except TimeoutError:
            pass  # nobody woke us: look whether something has become due

    async def _wake_on(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._wake.set()

    async def _work(self, claim: Claim) -> None:
        self._work_items.started(claim)
        try:
            settlement = await self._attempt(claim)
        except asyncio.CancelledError:
            if claim.claim in self._running:  # the service stops; a lost claim was removed
                await self._settle(claim, settle_return(claim), tries=RETURN_TRIES)
            raise
        await self._settle(claim, settlement)

    async def _attempt(self, claim: Claim) -> Settlement:
        if claim.lost_claims >= self._settings.lost_claims_max:
            return settle_killer(claim)
        call = Call(call_id=claim.call_id)
        try:
            extraction = await self._orchestrator.execute_task(claim.state, claim.layer, call=call)
        except Exception as error:  # noqa: BLE001 - every failure of a task is settled as such
            if is_local_rejection(error):
                return settle_rejection(claim, error, queue=self._settings)
            fallback = await self._fall_back(claim, call, error)
            return settle_failure(claim, error, fallback, queue=self._settings)
        return settle_success(extraction)

    async def _fall_back(self, claim: Claim, call: Call, error: Exception) -> Extraction | None:
        if is_permanent(error):
            return None
        return await self._orchestrator.fall_back(claim.state, claim.layer, call=call, error=error)

    async def _settle(
        self, claim: Claim, settlement: Settlement, *, tries: int = SETTLE_TRIES
    ) -> None:
        self._settling.add(claim.claim)
        for _ in range(tries):
            try:
                is_held = await self._store.settle(claim, settlement)
            except Exception as error:  # noqa: BLE001 - repeated, and the lease is the last resort
                _log("cannot settle a task", error, key=claim.key)
                await self._clock.sleep(self._settings.poll_s)
                continue
            if is_held:
                self._work_items.settled(claim, settlement)
            return

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(self._settings.heartbeat_s)
            claims = list(self._running)
            if not claims:
                continue
            try:
                held = await self._store.extend(claims, lease_s=self._settings.lease_s)
            except Exception as error:  # noqa: BLE001 - the lease outlives two missed heartbeats
                _log("cannot extend claims", error)
                continue
            for claim in set(claims) - held - self._settling:  # a settled claim holds no more
                self._abandon(claim)

    def _abandon(self, claim: int) -> None:
        """Stop work whose claim another worker holds by now; its result would be dropped."""
        task = self._running.pop(claim, None)
        if task is not None:
            task.cancel()

    async def _drain(self) -> None:
        tasks = list(self._running.values())
        if not tasks:
            return
        _done, late = await asyncio.wait(tasks, timeout=self._settings.drain_s)
        for task in late:
            task.cancel()


def _log(event: str, error: Exception, **fields: str) -> None:
    structlog.get_logger().warning(event, error=f"{type(error).__name__}: {error}", **fields)
