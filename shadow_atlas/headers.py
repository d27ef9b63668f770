"""Name the headers that services read and write, and the sources an answer can have."""

CALL_ID = "x-atlas-call-id"
ATTEMPT = "x-atlas-attempt"
SOURCE = "x-atlas-source"
AGE_S = "x-atlas-age-s"
BOUNDARIES_AGE_S = "x-atlas-boundaries-age-s"
REJECTED_BY = "x-atlas-rejected-by"
CLIENT_ID = "x-client-id"
CHAOS_TOKEN = "x-atlas-chaos-token"  # noqa: S105 -- the name of a header, not a secret
RETRY_AFTER = "retry-after"

PRIMARY_SOURCE = "primary"

UPSTREAM_REQUEST_HEADERS = (
    ("Accept", "application/json"),
    ("User-Agent", "VOTER-Protocol-ShadowAtlas/1.0"),
)
"""What every request to a portal carries, so that its operator can tell who asks."""
