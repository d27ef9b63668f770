"""What the Docker engine tells of containers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """What the engine says of a container.

    Args:
        status: The engine's word: `created`, `running`, `paused`, `exited`...
        pid: Its first process, as this host's kernel numbers it; 0 if none lives.
        exit_code: Of its last end.
        has_init: Whether its first process is the engine's own and the service a child of it.
        is_oom_killed: Whether its service was killed for want of memory at its last end.
    """

    status: str
    pid: int
    exit_code: int
    has_init: bool
    is_oom_killed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What the engine grants to a container.

    Args:
        cpu_period_us: The stretch of time that the quota is for, microseconds.
        cpu_quota_us: Processor time that it may use in each; 0 if that is unlimited.
        is_cpus: Whether it was made with `cpus`, which excludes a quota.
        memory_bytes: Memory and swap that it may use together; None if that is unlimited.
    """

    cpu_period_us: int
    cpu_quota_us: int
    is_cpus: bool
    memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEvent:
    """The engine told that something happened to a container.

    Args:
        what: `die`, `oom`, `start`...
        container: Id of the container.
        wall_unix_ns: When, by the engine's clock.
        exit_code: For `die`.
    """

    what: str
    container: str
    wall_unix_ns: int
    exit_code: str = ""


def event_from(told: Mapping[str, Any]) -> ContainerEvent:
    """Return an event as the engine's stream tells it."""
    return ContainerEvent(
        what=told["Action"],
        container=told["Actor"]["ID"],
        wall_unix_ns=told["timeNano"],
        exit_code=told["Actor"]["Attributes"].get("exitCode", ""),
    )
