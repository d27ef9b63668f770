"""Take containers off their networks, and put them back under the names that they had."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import Engine, EngineRefused
from harness.environments.compose.targets import started
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied, Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """How a container is attached to a network.

    Args:
        network: Id of the network.
        aliases: Names that others there know it by.
        address: Its address there.
        is_fixed: Whether the address was asked for, and is not the engine's choice.
    """

    network: str
    aliases: tuple[str, ...]
    address: str
    is_fixed: bool


class ContainerAttachments:
    """The networks of the services of one run."""

    def __init__(
        self, services: Mapping[str, ServiceContainer], *, engine: Engine, journal: Journal
    ) -> None:
        self._services = services
        self._engine = engine
        self._journal = journal

    def disconnect(self, service: str) -> Effect:
        """Take a service off all its networks; healing puts it back and waits until it is ready."""
        return self._disconnected(started(self._services, service))

    @asynccontextmanager
    async def _disconnected(self, service: ServiceContainer) -> AsyncIterator[Applied]:
        act = f"disconnect {service.name}"
        with self._journal.undoing(act, {"kind": "ends_with_process"}):
            before = await attachments(service.container, engine=self._engine)
            if not before:
                raise FaultNotApplied(f"container of {service.name!r} is on no network")
            try:
                async with service.turn:
                    await self._detach(service, before)
                seen = f"container of {service.name} is off all of its {len(before)} networks"
                yield Applied(read_back=seen, effects=1, effect=seen)
            finally:
                async with service.turn:
                    await self._attach(service, before)

    async def _detach(self, service: ServiceContainer, before: tuple[Attachment, ...]) -> None:
        def work(client: Any) -> None:
            for one in before:
                client.disconnect_container_from_network(service.container, one.network)

        try:
            await self._engine.ask("disconnect", work)
        except EngineRefused as error:
            raise FaultNotApplied(f"disconnect {service.name}: {error}") from error
        if await attachments(service.container, engine=self._engine):
            raise FaultNotApplied(f"container of {service.name!r} is still on a network")

    async def _attach(self, service: ServiceContainer, before: tuple[Attachment, ...]) -> None:
        """Attach it to each network that it is not on, and wait until it can be reached again."""
        now = {one.network for one in await attachments(service.container, engine=self._engine)}

        def work(client: Any) -> None:
            for one in before:
                if one.network not in now:
                    client.connect_container_to_network(
                        service.container,
                        one.network,
                        aliases=list(one.aliases),
                        ipv4_address=one.address if one.is_fixed else None,
                    )

        try:
            await self._engine.ask("connect", work)
        except EngineRefused as error:
            raise FaultNotHealed(f"connect {service.name}: {error}") from error
        await self._demand_same_names(service, before)
        if service.is_running:
            await service.wait_until_ready()

    async def _demand_same_names(
        self, service: ServiceContainer, before: tuple[Attachment, ...]
    ) -> None:
        now = await attachments(service.container, engine=self._engine)
        known = {one.network: set(one.aliases) for one in now}
        for one in before:
            if not known.get(one.network, set()) >= set(one.aliases):
                raise FaultNotHealed(
                    f"{service.name} is not known as {', '.join(one.aliases)} again: {now}"
                )


async def attachments(container: str, *, engine: Engine) -> tuple[Attachment, ...]:
    """Return the networks that a container is on, by their names."""
    told = await engine.ask("inspect", lambda client: client.inspect_container(container))
    networks = told["NetworkSettings"]["Networks"]
    return tuple(_attachment(one) for _, one in sorted(networks.items()))


async def address_between(client: str, server: str, *, engine: Engine) -> str:
    """Return the address under which one container reaches another one.

    Raises:
        FaultNotApplied: If they share no network.
    """
    networks = {one.network for one in await attachments(client, engine=engine)}
    for one in await attachments(server, engine=engine):
        if one.network in networks:
            return one.address
    raise FaultNotApplied(f"containers {client[:12]} and {server[:12]} share no network")


def _attachment(told: Mapping[str, Any]) -> Attachment:
    asked = told.get("IPAMConfig") or {}
    return Attachment(
        network=told["NetworkID"],
        aliases=tuple(told["Aliases"] or ()),
        address=told["IPAddress"],
        is_fixed=bool(asked.get("IPv4Address")),
    )
