"""Bring the database up to date: `python -m shadow_atlas.migrate`.

Creates what is missing, loads the shipped geometry, and may be run any number of times, by
several processes at once: an advisory lock lets one work and the others find nothing to do.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from resilience import ErrorClass
from shadow_atlas.clock import Clock, SystemClock
from shadow_atlas.database import MIGRATIONS, Migration
from shadow_atlas.database.area_statements import (
    ADD_VERSION,
    CURRENT_VERSION,
    LOCK_REFRESH,
    REMOVE_OTHER_AREAS,
    UPSERT_AREA,
)
from shadow_atlas.database.areas import area_digest, area_row
from shadow_atlas.database.migration_statements import (
    APPLIED_MIGRATIONS,
    CREATE_HISTORY,
    LOCK_MIGRATIONS,
    RECORD_MIGRATION,
)
from shadow_atlas.environment import ConfigurationError, EnvironmentReader
from shadow_atlas.errors import classify
from shadow_atlas.geometry import CENSUS_LEVELS, load_census_features
from shadow_atlas.settings import DatabaseSettings

CONNECT_TRIES: Final = 30  # with the pause below: half a minute for a server that starts beside us
CONNECT_PAUSE_S: Final = 1.0
SHIPPED: Final = "shipped"  # the source of areas that come with the package
LOCK_ID: Final = 0x5AD0_A71A  # any constant that no other program of this database uses


class HistoryDiffers(RuntimeError):
    """The database holds a migration that this program does not know, or knows differently."""


async def migrate(connection: Any, *, migrations: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """Apply what is missing and load the geometry, in one transaction.

    Args:
        connection: An asyncpg connection.
        migrations: All steps, in order.

    Returns:
        Names of the steps that were applied now.

    Raises:
        HistoryDiffers: If an applied step was edited or removed since.
    """
    async with connection.transaction():
        await connection.execute(LOCK_MIGRATIONS, LOCK_ID)
        await connection.execute(CREATE_HISTORY)
        applied = {row["name"]: row["digest"] for row in await connection.fetch(APPLIED_MIGRATIONS)}
        _require_same_history(applied, migrations)
        missing = [each for each in migrations if each.name not in applied]
        for migration in missing:
            await connection.execute(migration.sql)
            await connection.execute(RECORD_MIGRATION, migration.name, migration.digest)
        await _load_areas(connection)
    return [each.name for each in missing]


def main(environment: Mapping[str, str]) -> int:
    """Migrate the database that the environment names.

    Returns:
        0 when it is up to date, 1 if it is not, 2 if the configuration is wrong.
    """
    reader = EnvironmentReader(environment)
    settings = DatabaseSettings.read(reader, time_scale=1.0)
    try:
        reader.finish()
        applied = asyncio.run(_run(settings, clock=SystemClock()))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, HistoryDiffers) as error:
        sys.stderr.write(f"{settings.address}/{settings.name}: {error or type(error).__name__}\n")
        return 1
    sys.stdout.write(f"applied: {', '.join(applied) or 'nothing, the schema was up to date'}\n")
    return 0


async def _run(settings: DatabaseSettings, *, clock: Clock) -> list[str]:
    connection = await _connect(settings, clock=clock)
    try:
        return await migrate(connection)
    finally:
        connection.terminate()


async def _connect(settings: DatabaseSettings, *, clock: Clock) -> Any:
    for _ in range(CONNECT_TRIES - 1):
        try:
            return await _connect_once(settings)
        except (OSError, asyncpg.PostgresError) as error:
            if classify(error) is ErrorClass.PERMANENT:
                raise
            await clock.sleep(CONNECT_PAUSE_S)
    return await _connect_once(settings)


async def _connect_once(settings: DatabaseSettings) -> Any:
    return await asyncpg.connect(
        host=settings.address.host,
        port=settings.address.port,
        user=settings.user,
        database=settings.name,
        ssl=False,
        timeout=settings.connect_timeout_s,
    )


def _require_same_history(applied: Mapping[str, str], migrations: Sequence[Migration]) -> None:
    known = {each.name: each.digest for each in migrations}
    for name, digest in applied.items():
        if name not in known:
            raise HistoryDiffers(f"migration {name!r} is in the database, but not in this program")
        if known[name] != digest:
            raise HistoryDiffers(f"migration {name!r} was edited after it had been applied")


async def _load_areas(connection: Any) -> None:
    """Load what is shipped; counties that a refresh has brought in since are left alone."""
    await connection.execute(LOCK_REFRESH)
    current = await connection.fetchrow(CURRENT_VERSION)
    is_refreshed = current is not None and current["source"] != SHIPPED
    features = load_census_features()
    levels = ("state",) if is_refreshed else CENSUS_LEVELS
    rows = [area_row(each, digest=area_digest(each)) for each in features if each.level in levels]
    await connection.executemany(UPSERT_AREA, rows)
    await connection.execute(REMOVE_OTHER_AREAS, [each.id for each in features], levels)
    if current is None:
        await connection.fetchval(ADD_VERSION, SHIPPED, len(rows), len(rows))


if __name__ == "__main__":
    sys.exit(main(os.environ))
