"""Stand-ins of the state portals and of TIGERweb: real geometry, real forms, scripted faults."""

from shadow_atlas.upstreams.app import create_app
from shadow_atlas.upstreams.settings import UpstreamSettings

__all__ = ["UpstreamSettings", "create_app"]
