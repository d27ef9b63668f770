"""Hold what reaches the portals: a client for each, and a guarded stack for each endpoint."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from resilience import BulkheadConfig, StackConfig
from shadow_atlas.portal_queries.catalogue import PORTALS, TIGER, Portal
from shadow_atlas.portal_queries.fetching import PortalClient
from shadow_atlas.protection import Stack, StackKit

FALLBACK_BULKHEAD = BulkheadConfig(max_concurrent=5, max_queue=10)
"""Bounds the calls of TIGERweb: a fallback runs outside of the orchestrator's bulkhead, and an
outage of all portals would otherwise send everybody there at once."""


class EndpointStacks:
    """Give each endpoint a stack, and with it a circuit breaker, of its own.

    They are all made at once: metrics then show every endpoint from the start, and the order
    of first use does not decide which stack draws from which random stream.

    Args:
        config: Protection of one endpoint; the name becomes the endpoint's.
        kit: What stacks are made with.
    """

    def __init__(self, *, config: StackConfig, kit: StackKit) -> None:
        self._stacks: dict[str, Stack] = {
            endpoint: kit.build(replace(config, name=stack_name(endpoint)))
            for portal in PORTALS
            for endpoint in map(portal.endpoint, portal.states)
        }
        self._stacks[TIGER.name] = kit.build(
            replace(config, name=stack_name(TIGER.name), bulkhead=FALLBACK_BULKHEAD)
        )

    def __iter__(self) -> Iterator[Stack]:
        return iter(self._stacks.values())

    def of(self, portal: Portal, state: str) -> Stack:
        """Return the stack of the service that answers for `state`."""
        return self._stacks[portal.endpoint(state)]


def stack_name(endpoint: str) -> str:
    """Name the stack of an endpoint in metrics and records.

    >>> stack_name("portal_wi/NE")
    'upstream-portal_wi/NE'
    """
    return f"upstream-{endpoint}"


def links(service: str) -> Mapping[str, str]:
    """Return the link that the stack of each endpoint guards, by the stack's name.

    >>> links("batch")["upstream-portal_wi/NE"]
    'batch -> portal_wi'
    """
    return {
        stack_name(portal.endpoint(state)): f"{service} -> {portal.name}"
        for portal in (*PORTALS, TIGER)
        for state in portal.states
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Portals:
    """Every portal's client, and the stacks in front of them.

    Args:
        clients: Client of each portal by name.
        stacks: Stack of each endpoint.
    """

    clients: Mapping[str, PortalClient]
    stacks: EndpointStacks

    async def close(self) -> None:
        """Close the connections to all portals."""
        for client in self.clients.values():
            await client.close()
