"""Hold what a service needs to know before it starts, validated and already scaled.

Nothing here reads `os.environ`: `from_environment` takes a mapping, and only a service's
`__main__` passes the real one. The time scale is applied here, once, to every duration and
rate, so that no other module knows of it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

from resilience import LimiterConfig, RetryConfig, StackConfig, scaled
from shadow_atlas.environment import Address, ConfigurationError, EnvironmentReader
from shadow_atlas.presets import (
    API_CLIENT_LIMITER,
    API_LOOKUP,
    BOUNDARY_UPDATE,
    needed_total_timeout_s,
)
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.tuning import Tuning


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """How to reach PostgreSQL, without a password (the server trusts its network).

    Args:
        address: Where it listens, or the proxy before it.
        user: Role to log in as.
        name: Database to use.
        max_connections: Size of the pool. Twenty keep a default server (100) free for five
            processes; a lookup holds a connection for about a millisecond.
        connect_timeout_s: Bound on logging in and on waiting for a connection of the pool.
        command_timeout_s: Bound on one statement, here and in the server.
    """

    address: Address
    user: str = "atlas"
    name: str = "atlas"
    max_connections: int = 20
    connect_timeout_s: float = 2.0
    command_timeout_s: float = 2.0

    @classmethod
    def read(cls, reader: EnvironmentReader, *, time_scale: float) -> Self:
        """Take the variables of the link to the database; durations come out scaled."""
        unscaled = cls(
            address=reader.address("ATLAS_DB_ADDRESS"),
            user=reader.text("ATLAS_DB_USER", default="atlas"),
            name=reader.text("ATLAS_DB_NAME", default="atlas"),
        )
        return replace(
            unscaled,
            connect_timeout_s=unscaled.connect_timeout_s * time_scale,
            command_timeout_s=unscaled.command_timeout_s * time_scale,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundarySettings:
    """How the api keeps its county boundaries fresh; every time in seconds.

    Args:
        tiger: Where TIGERweb listens.
        stack: Protection of one refresh.
        refresh_s: Age at which the set in force is refreshed. Counties change once in years; an
            hour bounds how long a correction takes, and is a request in three minutes.
        retry_s: Pause after a refresh that failed. The circuit, not this pause, spares an
            upstream that is down: it lets one in three through.
        request_timeout_s: Bound on connecting, and on each wait for bytes.
        write_s: Bound on putting a set in force.
        lease_s: How long one instance may take until another one may try. Longer than fetching
            and writing together, so that only a stalled process ever loses its lease.

    Raises:
        ValueError: If a time is not positive, or the lease too short.
    """

    tiger: Address
    stack: StackConfig = BOUNDARY_UPDATE
    refresh_s: float = 3600.0
    retry_s: float = 20.0
    request_timeout_s: float = 10.0
    write_s: float = 20.0
    lease_s: float = 180.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name.endswith("_s") and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{each.name}={value!r} must be finite and above 0")
        require_room_for_attempts(self.stack.retry)
        fetch_s = 0.0 if self.stack.retry is None else self.stack.retry.total_timeout_s or 0.0
        if self.lease_s <= fetch_s + self.write_s:
            raise ValueError(
                f"lease_s={self.lease_s!r} must be above {fetch_s + self.write_s:g}: fetching "
                "and writing end before another instance begins"
            )

    @classmethod
    def read(cls, reader: EnvironmentReader, *, time_scale: float) -> Self | None:
        """Take the variables of the link to TIGERweb; None without an address: no updates."""
        refresh_s = reader.positive("ATLAS_BOUNDARY_REFRESH_S", default=3600.0)
        tiger = reader.optional_address("ATLAS_TIGER_ADDRESS")
        if tiger is None:
            return None
        unscaled = cls(tiger=tiger, refresh_s=refresh_s)
        times = {
            each.name: getattr(unscaled, each.name) * time_scale
            for each in fields(cls)
            if each.name.endswith("_s")
        }
        return replace(unscaled, stack=scaled(BOUNDARY_UPDATE, time_scale), **times)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What the api service needs.

    Args:
        service: What every service is told.
        database: Where the districts are.
        lookup: Protection of one lookup.
        clients: What one client may ask; checked before anything else.
        boundaries: How the boundaries are kept fresh; None leaves them as they are stored.

    Raises:
        ValueError: If the total timeout of a lookup cuts one of its attempts.
    """

    service: ServiceSettings
    database: DatabaseSettings
    lookup: StackConfig = API_LOOKUP
    clients: LimiterConfig = API_CLIENT_LIMITER
    boundaries: BoundarySettings | None = None

    def __post_init__(self) -> None:
        require_room_for_attempts(self.lookup.retry)

    @classmethod
    def from_environment(cls, mapping: Mapping[str, str]) -> Self:
        """Read the settings of an api process.

        Raises:
            ConfigurationError: If variables are missing or wrong; it names all of them.
        """
        reader = EnvironmentReader(mapping)
        service = ServiceSettings.read(reader, default_app="shadow_atlas.api:create_app")
        database = DatabaseSettings.read(reader, time_scale=service.time_scale)
        boundaries = BoundarySettings.read(reader, time_scale=service.time_scale)
        tuning = Tuning.read(reader)
        reader.finish()
        return cls(
            service=service,
            database=database,
            boundaries=boundaries,
            lookup=scaled(tuning.of_all(API_LOOKUP), service.time_scale),
            clients=scaled(API_CLIENT_LIMITER, service.time_scale),
        )


def require_room_for_attempts(
    retry: RetryConfig | None, *, attempt_timeout_s: float | None = None
) -> None:
    """Refuse a total timeout that can end before the last attempt does.

    Args:
        retry: The configuration to examine; None has no attempts to cut.
        attempt_timeout_s: Bound on one attempt when the caller, not `retry`, sets it.

    Raises:
        ValueError: If attempts and pauses can take longer than the total timeout.
    """
    if retry is None or retry.total_timeout_s is None:
        return
    attempt_s = attempt_timeout_s if attempt_timeout_s is not None else retry.attempt_timeout_s
    if attempt_s is None:
        return
    needed_s = needed_total_timeout_s(retry, attempt_timeout_s=attempt_s)
    if retry.total_timeout_s < needed_s:
        raise ValueError(
            f"total_timeout_s={retry.total_timeout_s!r} must be at least {needed_s:g}: "
            f"{retry.max_attempts} attempts of {attempt_s:g} s and the pauses between them"
        )


__all__ = [
    "Address",
    "ApiSettings",
    "BoundarySettings",
    "ConfigurationError",
    "DatabaseSettings",
    "ServiceSettings",
    "require_room_for_attempts",
]
