"""Read the settings of a gateway's stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from shadow_atlas.environment import ConfigurationError, EnvironmentReader
from shadow_atlas.service_settings import ServiceSettings

GATEWAY_NAMES: Final = ("gateway_a", "gateway_b", "gateway_c")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What a gateway's stand-in needs. Its name says which gateway it plays; they are all alike.

    Args:
        service: What every service is told.

    Raises:
        ConfigurationError: If no gateway has that name.
    """

    service: ServiceSettings

    def __post_init__(self) -> None:
        if self.service.name not in GATEWAY_NAMES:
            names = ", ".join(GATEWAY_NAMES)
            raise ConfigurationError(
                f"ATLAS_SERVICE: expected one of {names}, got {self.service.name!r}"
            )

    @classmethod
    def from_environment(cls, mapping: Mapping[str, str]) -> Self:
        """Read the settings of a gateway's process.

        Raises:
            ConfigurationError: If variables are missing or wrong; it names all of them.
        """
        reader = EnvironmentReader(mapping)
        service = ServiceSettings.read(reader, default_app="shadow_atlas.gateways:create_app")
        reader.finish()
        return cls(service=service)
