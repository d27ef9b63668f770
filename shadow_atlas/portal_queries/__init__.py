"""Ask portals for boundaries and check what they send: queries, page walk, GeoJSON, transport.

What a service does with the boundaries, and how it protects its calls, is the service's own.
"""

from shadow_atlas.portal_queries.catalogue import (
    PORTALS,
    STATES,
    TIGER,
    Form,
    Layer,
    Portal,
    has_layer,
    primary_portal,
)
from shadow_atlas.portal_queries.fetching import PortalClient
from shadow_atlas.portal_queries.geojson import Boundaries, check_boundaries, check_text
from shadow_atlas.portal_queries.malformed import MalformedAnswer
from shadow_atlas.portal_queries.page_walk import PageWalk
from shadow_atlas.portal_queries.query_forms import Query, QueryForm, query_form

__all__ = [
    "PORTALS",
    "STATES",
    "TIGER",
    "Boundaries",
    "Form",
    "Layer",
    "MalformedAnswer",
    "PageWalk",
    "Portal",
    "PortalClient",
    "Query",
    "QueryForm",
    "check_boundaries",
    "check_text",
    "has_layer",
    "primary_portal",
    "query_form",
]
