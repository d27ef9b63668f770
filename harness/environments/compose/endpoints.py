"""Reach chaos endpoints from inside their container: they answer to its own loopback alone."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from harness.clock import Clock
from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import Engine, EngineRefused
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed, HarnessError
from harness.model.fault import Applied, Effect

_PAUSED_AT_MOST_S = 5.0  # nothing can be run in a paused container; as long as a process is given
_POLL_S = 0.05
_STATUS_ERROR = 400

# Runs in the container, with its own Python. The token comes by the environment, since arguments
# are shown to everybody who lists processes.
_REQUEST = """\
import json, os, sys, urllib.error, urllib.request
method, path, body = sys.argv[1:]
request = urllib.request.Request(
    "http://127.0.0.1:" + os.environ["ATLAS_PORT"] + path, method=method,
    data=body.encode() if body else None, headers={
        "x-atlas-chaos-token": os.environ["CHAOS_TOKEN"], "content-type": "application/json"})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(request, timeout=5) as answer:
        status, text = answer.status, answer.read().decode()
except urllib.error.HTTPError as error:
    status, text = error.code, error.read().decode()
print(json.dumps([status, text]))
"""


class ContainedEndpoints:
    """The chaos endpoints of the services of one run."""

    def __init__(
        self,
        services: Mapping[str, ServiceContainer],
        *,
        engine: Engine,
        clock: Clock,
        token: str,
        journal: Journal,
    ) -> None:
        self._services = services
        self._engine = engine
        self._clock = clock
        self._token = token
        self._journal = journal
        self._scripts = 0

    def fault(self, service: str, fault: str, settings: Mapping[str, Any]) -> Effect:
        """Switch an in-process fault of a service on; healing switches it off."""
        body = {"fault": fault, "enabled": True, **settings}
        return self._posted(self._service(service), "/chaos/faults", fault, body)

    def script(self, service: str, script: Mapping[str, Any]) -> Effect:
        """Add a script to a stand-in; healing removes it."""
        self._scripts += 1
        name = f"script-{self._scripts}"
        return self._posted(
            self._service(service), "/chaos/scripts", name, {"name": name, **script}
        )

    def _service(self, name: str) -> ServiceContainer:
        service = self._services.get(name)
        if service is None:
            raise FaultNotApplied(f"service {name!r} was not started in this run")
        if not service.service.has_chaos:
            raise FaultNotApplied(f"the system file gives service {name!r} no chaos endpoints")
        return service

    @asynccontextmanager
    async def _posted(
        self, service: ServiceContainer, path: str, name: str, body: Mapping[str, Any]
    ) -> AsyncIterator[Applied]:
        act = f"{path} {name} of {service.name}"
        with self._journal.undoing(act, {"kind": "ends_with_process"}):
            await self._ask(service, "POST", path, FaultNotApplied, body=body)
            if name not in await self._counters(service, path, FaultNotApplied):
                raise FaultNotApplied(f"{act} was accepted but is not in force")
            applied = Applied(read_back=f"{name} is in force in {service.name}")
            try:
                yield applied
            finally:
                await self._heal(service, path, name, applied)

    async def _heal(
        self, service: ServiceContainer, path: str, name: str, applied: Applied
    ) -> None:
        """Read the counter, remove the fault and read back that it is gone."""
        counters = await self._counters(service, path, FaultNotHealed)
        applied.effects = counters.get(name, 0)
        applied.effect = f"{name} acted {applied.effects} times"
        await self._ask(service, "DELETE", f"{path}/{name}", FaultNotHealed)
        if name in await self._counters(service, path, FaultNotHealed):
            raise FaultNotHealed(f"{path} {name} is still in force in {service.name}")

    async def _counters(
        self, service: ServiceContainer, path: str, error: type[HarnessError]
    ) -> dict[str, int]:
        """Return how often each enabled fault or script has acted, keyed by name."""
        document = json.loads(await self._ask(service, "GET", path, error))
        listed = document["active"] if "active" in document else document["scripts"]
        return {str(one["name"]): int(one["acted"]) for one in listed}

    async def _ask(
        self,
        service: ServiceContainer,
        method: str,
        path: str,
        error: type[HarnessError],
        *,
        body: Mapping[str, Any] | None = None,
    ) -> str:
        what = f"{method} {path} in the container of {service.name}"
        argv = ["python3", "-c", _REQUEST, method, path, json.dumps(body) if body else ""]
        try:
            code, said = await self._run(service, argv)
        except EngineRefused as refusal:
            raise error(f"{what}: {refusal}") from refusal
        if code != 0:
            raise error(f"{what} failed: {said.decode(errors='replace').strip()[-500:]}")
        status, text = json.loads(said)
        if status >= _STATUS_ERROR:
            raise error(f"{what} answered {status}: {text}")
        return str(text)

    async def _run(self, service: ServiceContainer, argv: Sequence[str]) -> tuple[int, bytes]:
        """Run a program in a container; while another fault has paused it, wait for that to end."""
        for _ in range(int(_PAUSED_AT_MOST_S / _POLL_S)):
            try:
                return await self._engine.run(service.container, argv, {"CHAOS_TOKEN": self._token})
            except EngineRefused:
                if (await service.state()).status != "paused":
                    raise
                await self._clock.sleep(_POLL_S)
        raise EngineRefused(f"the container was paused for more than {_PAUSED_AT_MOST_S:g} s")
