"""Ask services to hurt themselves, and stand-ins to answer wrongly, through their chaos endpoints.

The endpoints listen on loopback and want the run's token. Whether a fault acted is read from the
endpoint's own counters when it is healed.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from harness.environments.journal import Journal
from harness.environments.services import ServiceProcess
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied, Effect
from harness.plain_http import plain_client

_WITHIN_S = 5.0  # a service under load answers late, one that hangs not at all
_TOKEN = "x-atlas-chaos-token"  # noqa: S105 -- the name of the header


class ChaosEndpoints:
    """The chaos endpoints of the services of one run."""

    def __init__(
        self, services: Mapping[str, ServiceProcess], *, token: str, journal: Journal
    ) -> None:
        self._services = services
        self._headers = {_TOKEN: token}
        self._journal = journal
        self._scripts = 0

    def fault(self, service: str, fault: str, settings: Mapping[str, Any]) -> Effect:
        """Switch an in-process fault of a service on; healing switches it off."""
        body = {"fault": fault, "enabled": True, **settings}
        return self._posted(service, "/chaos/faults", fault, body)

    def script(self, service: str, script: Mapping[str, Any]) -> Effect:
        """Add a script to a stand-in; healing removes it."""
        self._scripts += 1
        name = f"script-{self._scripts}"
        return self._posted(service, "/chaos/scripts", name, {"name": name, **script})

    @asynccontextmanager
    async def _posted(
        self, service: str, path: str, name: str, body: Mapping[str, Any]
    ) -> AsyncIterator[Applied]:
        async with plain_client(
            base_url=self._url(service), headers=self._headers, timeout=_WITHIN_S
        ) as client:
            act = f"{path} {name} of {service}"
            with self._journal.undoing(act, {"kind": "ends_with_process"}):
                await self._ask(client, "POST", path, FaultNotApplied, json=dict(body))
                if name not in await self._counters(client, path, FaultNotApplied):
                    raise FaultNotApplied(f"{act} was accepted but is not in force")
                applied = Applied(read_back=f"{name} is in force in {service}")
                try:
                    yield applied
                finally:
                    await self._heal(client, path, name, applied)

    async def _heal(
        self, client: httpx.AsyncClient, path: str, name: str, applied: Applied
    ) -> None:
        """Read the counter, remove the fault and read back that it is gone."""
        counters = await self._counters(client, path, FaultNotHealed)
        applied.effects = counters.get(name, 0)
        applied.effect = f"{name} acted {applied.effects} times"
        await self._ask(client, "DELETE", f"{path}/{name}", FaultNotHealed)
        if name in await self._counters(client, path, FaultNotHealed):
            raise FaultNotHealed(f"{path} {name} is still in force")

    async def _counters(
        self, client: httpx.AsyncClient, path: str, error: type[Exception]
    ) -> dict[str, int]:
        """Return how often each enabled fault or script has acted, keyed by name."""
        answer = await self._ask(client, "GET", path, error)
        document = answer.json()
        listed = document["active"] if "active" in document else document["scripts"]
        return {str(one["name"]): int(one["acted"]) for one in listed}

    async def _ask(
        self, client: httpx.AsyncClient, method: str, path: str, error: type[Exception], **body: Any
    ) -> httpx.Response:
        try:
            answer = await client.request(method, path, **body)
        except httpx.HTTPError as cause:
            raise error(f"{method} {client.base_url}{path} failed: {cause!r}") from cause
        if answer.is_error:
            raise error(
                f"{method} {client.base_url}{path} answered {answer.status_code}: {answer.text}"
            )
        return answer

    def _url(self, service: str) -> str:
        target = self._services.get(service)
        if target is None or not target.is_running:
            raise FaultNotApplied(f"service {service!r} is not running in this run")
        if not target.service.has_chaos:
            raise FaultNotApplied(f"the system file gives service {service!r} no chaos endpoints")
        return f"http://127.0.0.1:{target.port}"
