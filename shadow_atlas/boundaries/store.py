"""Put sets of boundaries in force in PostgreSQL, one instance at a time and all or nothing."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shadow_atlas.boundaries.counties import County, Stored, check_replaces
from shadow_atlas.database import Connection, Database, area_statements as sql
from shadow_atlas.database.areas import area_row

SOURCE = "tiger"


class ClaimLost(Exception):
    """The lease ran out while the boundaries were fetched; another instance may write now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A set that was put in force.

    Args:
        number: Its version.
        areas: Number of counties in it.
        changed: How many of them are new, gone or different.
    """

    number: int
    areas: int
    changed: int


class BoundaryStore:
    """Read and write sets of boundaries.

    No connection is held while an upstream is asked: the lock is a lease in a row, which ends by
    itself when its holder is killed, and whose number keeps a late holder from writing.

    Args:
        database: Lends connections.
        lease_s: Length of a lease, seconds.
        write_s: Bound on putting a set in force, seconds.
    """

    def __init__(self, database: Database, *, lease_s: float, write_s: float) -> None:
        self._database = database
        self._lease_s = lease_s
        self._write_s = write_s
        self._held = 0  # a claim that could not be given back is no obstacle to its own holder

    async def current(self) -> Mapping[str, Any] | None:
        """Return `version`, `source` and `age_s` of the set in force; None in an empty schema."""
        async with self._database.connection() as connection:
            row: Mapping[str, Any] | None = await connection.fetchrow(sql.CURRENT_VERSION)
        return row

    async def claim(self, *, older_than_s: float) -> int | None:
        """Take the lease if the set in force is older than that, and return the claim's number.

        Returns:
            None if the set is young enough, or another instance has the lease.
        """
        async with self._database.connection() as connection:
            number: int | None = await connection.fetchval(
                sql.CLAIM_REFRESH, self._lease_s, older_than_s, self._held
            )
        self._held = self._held if number is None else number
        return number

    async def release(self, claim: int) -> None:
        """Give the lease back; of no effect if it has passed on."""
        async with self._database.connection() as connection:
            await connection.execute(sql.RELEASE_CLAIM, claim)
        self._held = 0

    async def replace(self, claim: int, counties: Sequence[County]) -> Replaced:
        """Put a set in force, in one transaction: every lookup sees the old one or the new one.

        Raises:
            ClaimLost: If the lease has run out.
            MalformedAnswer: If the set cannot be the successor of the stored one.
            TimeoutError: If it took too long; nothing was changed.
        """
        async with (
            asyncio.timeout(self._write_s),
            self._database.connection() as connection,
            connection.transaction(),
        ):
            limit_ms = max(1, round(self._write_s * 1000))  # 0 would mean no limit
            await connection.execute(sql.LIMIT_STATEMENTS, str(limit_ms))
            if await connection.fetchval(sql.HOLD_CLAIM, claim) is None:
                raise ClaimLost(f"the lease of claim {claim} has run out")
            return await self._write(connection, counties)

    async def _write(self, connection: Connection, counties: Sequence[County]) -> Replaced:
        rows = await connection.fetch(sql.STORED_COUNTIES)
        boxes = await connection.fetch(sql.STATE_BOXES)
        check_replaces(
            counties,
            Stored(
                counts=Counter(row["state"] for row in rows),
                boxes={state: tuple(box) for state, *box in boxes},
            ),
        )
        known = {row["id"]: row["digest"] for row in rows}
        ids = [county.feature.id for county in counties]
        fresh = [each for each in counties if known.get(each.feature.id) != each.digest]
        changed = len(fresh) + len(known.keys() - set(ids))
        await connection.executemany(
            sql.UPSERT_AREA,
            [area_row(each.feature, digest=each.digest) for each in fresh],
            timeout=self._write_s,
        )
        await connection.execute(sql.REMOVE_OTHER_AREAS, ids, ["county"])
        number = await connection.fetchval(sql.ADD_VERSION, SOURCE, len(ids), changed)
        return Replaced(number=number, areas=len(ids), changed=changed)
