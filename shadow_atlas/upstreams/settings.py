"""Read the settings of a stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shadow_atlas.environment import ConfigurationError, EnvironmentReader
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.upstreams.portals import PORTAL_KINDS, PortalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
    """What a stand-in needs. Its name says which portal it plays.

    The time scale is read as by every service and has nothing to act on here: a stand-in has no
    durations of its own, and those of scripts arrive scaled.

    Args:
        service: What every service is told.

    Raises:
        ConfigurationError: If no portal has that name.
    """

    service: ServiceSettings

    def __post_init__(self) -> None:
        if self.service.name not in PORTAL_KINDS:
            names = ", ".join(PORTAL_KINDS)
            raise ConfigurationError(
                f"ATLAS_SERVICE: expected one of {names}, got {self.service.name!r}"
            )

    @property
    def kind(self) -> PortalKind:
        """The portal to play."""
        return PORTAL_KINDS[self.service.name]

    @classmethod
    def from_environment(cls, mapping: Mapping[str, str]) -> Self:
        """Read the settings of a stand-in's process.

        Raises:
            ConfigurationError: If variables are missing or wrong; it names all of them.
        """
        reader = EnvironmentReader(mapping)
        service = ServiceSettings.read(reader, default_app="shadow_atlas.upstreams:create_app")
        reader.finish()
        return cls(service=service)
