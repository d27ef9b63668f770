"""Answer which districts a coordinate lies in."""

from shadow_atlas.api.app import create_app

__all__ = ["create_app"]
