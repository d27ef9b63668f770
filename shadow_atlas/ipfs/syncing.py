"""Fetch a snapshot from the first gateway that delivers it, and believe none of them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

from resilience import Attempt
from shadow_atlas.content_addressing import (
    BlockMismatch,
    Cid,
    FileLimits,
    FileRefused,
    FileWalk,
)
from shadow_atlas.errors import UpstreamStatus
from shadow_atlas.events import EventSink
from shadow_atlas.headers import PRIMARY_SOURCE
from shadow_atlas.ipfs.failures import (
    GATEWAY_TROUBLE,
    AllGatewaysFailed,
    GatewayFailure,
    failure_class,
)
from shadow_atlas.ipfs.gateways import Gateway
from shadow_atlas.protection import Stack

Result = TypeVar("Result")
NoteStatus = Callable[..., None]
FAILOVER_SOURCE: Final = "degraded"  # sound content, but redundancy was used up
_HTTP_OK: Final = 200


class Chaos(Protocol):
    """May make a call go wrong on purpose; `resilience.ChaosFaultInjector` is one."""

    async def run(self, work: Callable[[], Awaitable[Result]], *, key: str) -> Result:
        """Await `work()`, with whatever fault is due for the call `key`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """A snapshot that was fetched and verified.

    Args:
        cid: Its name.
        content: Its bytes.
        gateway: Name of the gateway that delivered its last block.
        attempts: Attempts that reached for a gateway, all gateways together.
        source: `primary` from the first gateway, `degraded` from a later one.
    """

    cid: Cid
    content: bytes
    gateway: str
    attempts: int
    source: str


@dataclass(slots=True, kw_only=True)
class _Course:
    """One synchronisation under way: what is still to fetch, and what has failed."""

    call_id: str
    walk: FileWalk
    attempts: int = 0
    failures: list[GatewayFailure] = field(default_factory=list)


class SnapshotSync:
    """Ask the gateways in their order, each through its own stack, all of them in one bulkhead.

    Blocks that were verified stay when an attempt fails, and when the next gateway takes over:
    a gateway that is slow, or lies about one block, costs what it did not deliver and no more.

    Args:
        gateways: In the order in which they are asked.
        stack: The bulkhead around everything, retries and fail-over included.
        limits: How large a snapshot may be.
        chaos: Stands between a gateway's client and the verification of each block.
        events: Takes `fallback` records.
        note_status: Told the HTTP status of each attempt, which the stacks do not know.
    """

    def __init__(
        self,
        *,
        gateways: Sequence[Gateway],
        stack: Stack,
        limits: FileLimits,
        chaos: Chaos,
        events: EventSink,
        note_status: NoteStatus,
    ) -> None:
        self.gateways = gateways
        self.stack = stack
        self._limits = limits
        self._chaos = chaos
        self._events = events
        self._note_status = note_status

    async def sync(self, cid: Cid, *, call_id: str) -> Synced:
        """Fetch and verify one snapshot.

        Raises:
            LocalRejection: If as many others are being fetched and waiting as may be.
            AllGatewaysFailed: If no gateway delivered it.
            FileRefused: If it is no file, malformed or too large, whoever delivers it.
        """

        async def attempt(_attempt: Attempt) -> Synced:
            return await self._fail_over(cid, call_id)

        result = await self.stack.call_detailed(attempt, operation="sync", call_id=call_id)
        return result.value

    async def _fail_over(self, cid: Cid, call_id: str) -> Synced:
        course = _Course(call_id=call_id, walk=FileWalk(cid, limits=self._limits))
        for gateway in self.gateways:
            try:
                await self._fetch_from(gateway, course)
            except GATEWAY_TROUBLE as error:
                course.failures.append(GatewayFailure(gateway=gateway.name, error=error))
            else:
                return self._synced(cid, gateway, course)
        raise AllGatewaysFailed(tuple(course.failures))

    async def _fetch_from(self, gateway: Gateway, course: _Course) -> None:
        async def attempt(attempt: Attempt) -> None:
            course.attempts += 1
            await self._fetch_blocks(gateway, course, attempt)

        await gateway.stack.call_detailed(attempt, operation=gateway.name, call_id=course.call_id)

    async def _fetch_blocks(self, gateway: Gateway, course: _Course, attempt: Attempt) -> None:
        """Fetch what is missing, block by block; each one is verified before the next is asked."""
        walk = course.walk
        try:
            while (cid := walk.wanted) is not None:
                get = partial(
                    gateway.client.get_block, cid, call_id=course.call_id, attempt=attempt.number
                )
                walk.add(await self._chaos.run(get, key=course.call_id))
        except UpstreamStatus as error:
            self._note(course, attempt, error.status)
            raise
        except (BlockMismatch, FileRefused):
            self._note(course, attempt, _HTTP_OK)
            raise
        self._note(course, attempt, _HTTP_OK)

    def _note(self, course: _Course, attempt: Attempt, status: int) -> None:
        self._note_status(call_id=course.call_id, attempt=attempt.number, status=status)

    def _synced(self, cid: Cid, gateway: Gateway, course: _Course) -> Synced:
        if course.failures:
            self._record_failover(course)
        return Synced(
            cid=cid,
            content=course.walk.content(),
            gateway=gateway.name,
            attempts=course.attempts,
            source=FAILOVER_SOURCE if course.failures else PRIMARY_SOURCE,
        )

    def _record_failover(self, course: _Course) -> None:
        error_class = failure_class(course.failures[0].error)
        self._events.emit(
            "fallback",
            name="ipfs-sync",
            call_id=course.call_id,
            source=FAILOVER_SOURCE,
            age_s=None,
            error_class=None if error_class is None else error_class.value,
        )
