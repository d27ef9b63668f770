"""Sync snapshots from IPFS gateways, none of which is trusted, and serve them."""

from shadow_atlas.ipfs.app import create_app
from shadow_atlas.ipfs.settings import IpfsSettings

__all__ = ["IpfsSettings", "create_app"]
