"""Hold what reaches the gateways: for each a client, and a stack with a circuit of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shadow_atlas.clock import Clock
from shadow_atlas.ipfs.gateway_client import GatewayClient
from shadow_atlas.ipfs.settings import GATEWAYS, IpfsSettings
from shadow_atlas.protection import Stack, StackKit


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway.

    Args:
        name: Its name.
        client: Reaches it.
        stack: Its protection.
    """

    name: str
    client: GatewayClient
    stack: Stack


def build_gateways(settings: IpfsSettings, *, kit: StackKit, clock: Clock) -> tuple[Gateway, ...]:
    """Build all gateways, in the order in which they are asked."""
    return tuple(
        Gateway(
            name=name,
            client=GatewayClient(
                address=settings.gateways[name],
                timeout_s=settings.attempt_timeout_s,
                block_limit_bytes=settings.limits.block_bytes,
                clock=clock,
            ),
            stack=kit.build(replace(settings.gateway, name=stack_name(name))),
        )
        for name in GATEWAYS
    )


def stack_name(gateway: str) -> str:
    """Name the stack of a gateway in metrics and records.

    >>> stack_name("gateway_a")
    'ipfs-gateway_a'
    """
    return f"ipfs-{gateway}"


def links(service: str) -> Mapping[str, str]:
    """Return the link that the stack of each gateway guards, by the stack's name.

    >>> links("ipfs")["ipfs-gateway_b"]
    'ipfs -> gateway_b'
    """
    return {stack_name(name): f"{service} -> {name}" for name in GATEWAYS}
