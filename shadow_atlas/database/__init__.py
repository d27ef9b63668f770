"""Reach PostgreSQL: a pool that survives restarts, and the schema as ordered migrations."""

from shadow_atlas.database.pool import Connection, Database
from shadow_atlas.database.schema import MIGRATIONS, Migration

__all__ = ["MIGRATIONS", "Connection", "Database", "Migration"]
