"""Hold what the ipfs service needs to know, validated and already scaled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from resilience import StackConfig, scaled
from shadow_atlas.content_addressing import FileLimits
from shadow_atlas.environment import Address, EnvironmentReader
from shadow_atlas.presets import IPFS_GATEWAY, IPFS_SYNC
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.settings import require_room_for_attempts

GATEWAYS: Final = ("gateway_a", "gateway_b", "gateway_c")
"""The gateways in the order in which they are asked."""

MEMORY_LIMIT_BYTES: Final = (
    64 * 1024 * 1024
)  # four of the largest snapshots, thousands of usual ones


@dataclass(frozen=True, slots=True, kw_only=True)
class IpfsSettings:
    """What the ipfs service needs.

    Args:
        service: What every service is told.
        gateways: Address of each gateway by name.
        sync: Protection of one synchronisation, over all gateways.
        gateway: Protection of one gateway.
        limits: How large a snapshot may be.
        snapshot_dir: Folder in which snapshots are kept; None keeps them in memory.
        memory_limit_bytes: Most bytes of snapshots that are kept in memory.

    Raises:
        ValueError: If an address is missing, a total timeout cuts an attempt, or memory does not
            hold the largest snapshot.
    """

    service: ServiceSettings
    gateways: Mapping[str, Address]
    sync: StackConfig = IPFS_SYNC
    gateway: StackConfig = IPFS_GATEWAY
    limits: FileLimits = field(default_factory=FileLimits)
    snapshot_dir: Path | None = None
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES

    def __post_init__(self) -> None:
        missing = [name for name in GATEWAYS if name not in self.gateways]
        if missing:
            raise ValueError(f"gateways without an address: {', '.join(missing)}")
        require_room_for_attempts(self.gateway.retry)
        if self.memory_limit_bytes < self.limits.file_bytes:
            raise ValueError(
                f"memory_limit_bytes={self.memory_limit_bytes!r} must be at least "
                f"{self.limits.file_bytes}, the largest snapshot"
            )

    @property
    def attempt_timeout_s(self) -> float:
        """Bound on one attempt at a gateway, seconds."""
        retry = self.gateway.retry
        if retry is None or retry.attempt_timeout_s is None:
            raise ValueError("the protection of a gateway needs an attempt timeout")
        return retry.attempt_timeout_s

    @classmethod
    def from_environment(cls, mapping: Mapping[str, str]) -> Self:
        """Read the settings of an ipfs process.

        Raises:
            ConfigurationError: If variables are missing or wrong; it names all of them.
        """
        reader = EnvironmentReader(mapping)
        service = ServiceSettings.read(reader, default_app="shadow_atlas.ipfs:create_app")
        gateways = {name: reader.address(f"ATLAS_{name.upper()}_ADDRESS") for name in GATEWAYS}
        snapshot_dir = reader.optional_path("ATLAS_SNAPSHOT_DIR")
        reader.finish()
        return cls(
            service=service,
            gateways=gateways,
            sync=scaled(IPFS_SYNC, service.time_scale),
            gateway=scaled(IPFS_GATEWAY, service.time_scale),
            snapshot_dir=snapshot_dir,
        )
