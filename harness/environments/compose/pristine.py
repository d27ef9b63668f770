"""Give a database back what it held before the first run: a copy that nobody can connect to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.environments import postgres
from harness.model.errors import HarnessError

_MAINTENANCE = "postgres"  # no session may be in a database that is copied or dropped
_WITHIN_S = 30.0  # a copy takes 0.1 to 0.3 s


async def keep(port: int, database: str) -> bool:
    """Keep a copy of a database as it is now; return whether that is allowed to us.

    Args:
        port: Where its server listens on loopback.
        database: Its name; nobody may be in it.

    Raises:
        ServiceNotReady: If the server refuses to copy it.
    """
    async with _session(port) as session:
        own = "SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper"
        if await session.run(own) != "SELECT 1":
            return False
        await session.run(_copying(database, to=_pristine(database)))
        await session.run(f"ALTER DATABASE {_quoted(_pristine(database))} ALLOW_CONNECTIONS false")
    return True


async def restore(port: int, database: str) -> None:
    """Put a fresh copy of what was kept in the place of a database; its sessions are ended.

    Raises:
        HarnessError: If nothing was kept.
        ServiceNotReady: If the server refuses.
    """
    async with _session(port) as session:
        name = _quoted(_pristine(database), "'")
        if await session.run(f"SELECT FROM pg_database WHERE datname = {name}") != "SELECT 1":
            raise HarnessError(f"the pristine copy of database {database!r} is gone")
        await session.run(f"DROP DATABASE IF EXISTS {_quoted(database)} WITH (FORCE)")
        await session.run(_copying(_pristine(database), to=database))


@asynccontextmanager
async def _session(port: int) -> AsyncIterator[postgres.Session]:
    async with asyncio.timeout(_WITHIN_S):
        session = await postgres.connect(port, _MAINTENANCE, within_s=_WITHIN_S)
        try:
            yield session
        finally:
            session.close()


def _pristine(database: str) -> str:
    return f"{database}_pristine"


def _copying(database: str, *, to: str) -> str:
    """Return the statement; by files, because a copy by way of the log makes the volume grow."""
    return f"CREATE DATABASE {_quoted(to)} TEMPLATE {_quoted(database)} STRATEGY file_copy"


def _quoted(name: str, mark: str = '"') -> str:
    return mark + name.replace(mark, 2 * mark) + mark
