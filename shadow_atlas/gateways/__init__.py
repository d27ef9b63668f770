"""Stand-ins of IPFS gateways: real blocks of real geometry, scripted faults."""

from shadow_atlas.gateways.app import create_app
from shadow_atlas.gateways.settings import GATEWAY_NAMES, GatewaySettings

__all__ = ["GATEWAY_NAMES", "GatewaySettings", "create_app"]
