"""Extract district boundaries from state portals, in durable jobs."""

from shadow_atlas.batch.app import create_app
from shadow_atlas.batch.settings import BatchSettings

__all__ = ["BatchSettings", "create_app"]
