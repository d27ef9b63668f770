"""Hold the schema as ordered, named migrations; `shadow_atlas.migrate` applies them.

The order is the order of the tuple. A migration that has been released is never edited: its
digest is stored with it, and `migrate` refuses a database whose history differs.
"""

import hashlib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema, applied once and in one transaction.

    Args:
        name: Unique; sorts in the order of the steps.
        sql: Statements, valid from PostgreSQL 15 to 18.
    """

    name: str
    sql: str

    @property
    def digest(self) -> str:
        """Fingerprint of the statements."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


CREATE_AREAS: Final = Migration(
    name="0001_areas",
    sql="""
    CREATE TABLE areas (
        id text PRIMARY KEY,
        level text NOT NULL CHECK (level IN ('state', 'county')),
        fips text NOT NULL,
        name text NOT NULL,
        state text NOT NULL CHECK (length(state) = 2),
        min_lon double precision NOT NULL,
        min_lat double precision NOT NULL,
        max_lon double precision NOT NULL CHECK (max_lon >= min_lon),
        max_lat double precision NOT NULL CHECK (max_lat >= min_lat),
        digest text NOT NULL,
        geometry text NOT NULL,
        UNIQUE (level, fips)
    );
    -- A GiST index on boxes answers "which boxes hold this point" without an extension.
    CREATE INDEX areas_box ON areas USING gist (
        box(point(min_lon, min_lat), point(max_lon, max_lat))
    );
    """,
)

MIGRATIONS: Final[tuple[Migration, ...]] = (CREATE_AREAS,)
"""All steps in order. Append; never insert, edit or remove."""
