"""Lend connections to PostgreSQL, and throw away each one whose state is in doubt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from shadow_atlas.errors import DatabaseUnreachable
from shadow_atlas.settings import DatabaseSettings

Connection = Any  # asyncpg has no types: a pool lends a proxy that has a connection's methods


class Database:
    """Keep a pool of connections that outlives restarts of the server.

    Opening it connects to nothing, so a service starts without its database. A connection
    whose statement was cut (timeout, cancel, lost peer) is aborted instead of returned: its
    late answer could be read by the next borrower, and asyncpg's polite way back would wait
    for a server that may be gone.
    """

    def __init__(self, settings: DatabaseSettings, *, application_name: str) -> None:
        self._settings = settings
        self._application_name = application_name
        self._pool: Any = None
        self.was_reached = False

    async def open(self) -> None:
        """Create the empty pool."""
        settings = self._settings
        self._pool = await asyncpg.create_pool(
            host=settings.address.host,
            port=settings.address.port,
            user=settings.user,
            database=settings.name,
            ssl=False,  # the guide's database shares the private network of its services
            min_size=0,
            max_size=settings.max_connections,
            timeout=settings.connect_timeout_s,
            command_timeout=settings.command_timeout_s,
            reset=_keep_session,
            server_settings={
                "application_name": self._application_name,
                "statement_timeout": str(
                    max(1, round(settings.command_timeout_s * 1000))
                ),  # 0 is never
            },
        )

    def close(self) -> None:
        """Drop all connections at once; statements in flight fail."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection for a few statements that leave no trace in its session.

        Raises:
            DatabaseUnreachable: If no connection could be made, or it broke while in use.
            TimeoutError: If none was free in time, or a statement took too long.
            asyncpg.PostgresError: What the server says of a statement or of the login.
        """
        connection = await self._acquire()
        try:
            yield connection
        except asyncpg.PostgresError:
            raise  # the server answered, or asyncpg has already dropped the connection
        except asyncpg.InterfaceError as error:
            if _is_lost(connection):
                raise DatabaseUnreachable(str(error)) from error
            raise
        except BaseException:
            if not _is_lost(connection):
                connection.terminate()
            raise
        finally:
            await self._pool.release(connection)

    async def is_reachable(self) -> bool:
        """Try to get a connection, and say whether there was one."""
        try:
            async with self.connection():
                return True
        except Exception:  # noqa: BLE001 -- whatever answers in its place, it is no database
            return False

    async def _acquire(self) -> Connection:
        try:
            connection = await self._pool.acquire(timeout=self._settings.connect_timeout_s)
        except TimeoutError:
            raise
        except OSError as error:
            # Several addresses of one host fail as a bare OSError without a number, which no
            # classification could tell from a full disk.
            raise DatabaseUnreachable(f"{self._settings.address}: {error}") from error
        self.was_reached = True
        return connection


def _is_lost(connection: Connection) -> bool:
    """Say whether a connection has broken while it was lent."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True  # the pool has taken it back, as it does when the peer goes


async def _keep_session(_connection: Connection) -> None:
    """Reset nothing: our statements leave no session state, and a reset costs a round trip."""
