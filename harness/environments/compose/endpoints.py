"""Reach chaos endpoints from inside their container: they answer to its own loopback alone."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from harness.clock import Clock
from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import ContainerPaused, Engine, EngineRefused
from harness.environments.compose.targets import started
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed, HarnessError
from harness.model.fault import Applied, Effect

_PAUSED_AT_MOST_S = 5.0  # nothing can be run in a paused container; as long as a process is given
_POLL_S = 0.05
_STATUS_ERROR = 400

# Runs in the container, with its own Python: all requests of one step at once, because starting a
# program there takes 0.1 s. The token comes by the environment, since arguments are shown to
# everybody who lists processes.
_REQUESTS = """\
import json, os, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
headers = {"x-atlas-chaos-token": os.environ["CHAOS_TOKEN"], "content-type": "application/json"}
answers = []
for method, path, body in json.loads(sys.argv[1]):
    url = "http://127.0.0.1:" + os.environ["ATLAS_PORT"] + path
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=data, headers=headers)
    try:
        with opener.open(request, timeout=5) as answer:
            answers.append([answer.status, answer.read().decode()])
    except urllib.error.HTTPError as error:
        answers.append([error.code, error.read().decode()])
print(json.dumps(answers))
"""
_Request = tuple[str, str, Mapping[str, Any] | None]  # method, path, body


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
        service = started(self._services, name)
        if not service.service.has_chaos:
            raise FaultNotApplied(f"the system file gives service {name!r} no chaos endpoints")
        return service

    @asynccontextmanager
    async def _posted(
        self, service: ServiceContainer, path: str, name: str, body: Mapping[str, Any]
    ) -> AsyncIterator[Applied]:
        act = f"{path} {name} of {service.name}"
        with self._journal.undoing(act, {"kind": "ends_with_process"}):
            asked: list[_Request] = [("POST", path, body), ("GET", path, None)]
            _, listed = await self._ask(service, asked, FaultNotApplied)
            if name not in _counters(listed):
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
        asked: list[_Request] = [
            ("GET", path, None),
            ("DELETE", f"{path}/{name}", None),
            ("GET", path, None),
        ]
        before, _, after = await self._ask(service, asked, FaultNotHealed)
        applied.effects = _counters(before).get(name, 0)
        applied.effect = f"{name} acted {applied.effects} times"
        if name in _counters(after):
            raise FaultNotHealed(f"{path} {name} is still in force in {service.name}")

    async def _ask(
        self, service: ServiceContainer, asked: Sequence[_Request], error: type[HarnessError]
    ) -> list[str]:
        """Return the answers to requests, made one after the other."""
        argv = ["python3", "-c", _REQUESTS, json.dumps(asked)]
        try:
            code, said = await self._run(service, argv)
        except EngineRefused as refusal:
            raise error(f"{asked[0][1]} of {service.name}: {refusal}") from refusal
        if code != 0:
            told = said.decode(errors="replace").strip()[-500:]
            raise error(f"{asked[0][1]} of {service.name} could not be asked: {told}")
        answers: list[tuple[int, str]] = json.loads(said.splitlines()[-1])
        for (method, path, _), (status, text) in zip(asked, answers, strict=True):
            if status >= _STATUS_ERROR:
                raise error(f"{method} {path} of {service.name} answered {status}: {text}")
        return [text for _, text in answers]

    async def _run(self, service: ServiceContainer, argv: Sequence[str]) -> tuple[int, bytes]:
        """Run a program in a container; while another fault has paused it, wait for that to end."""
        for _ in range(int(_PAUSED_AT_MOST_S / _POLL_S)):
            try:
                return await self._engine.run(service.container, argv, {"CHAOS_TOKEN": self._token})
            except ContainerPaused:
                await self._clock.sleep(_POLL_S)
        raise EngineRefused(f"the container was paused for more than {_PAUSED_AT_MOST_S:g} s")


def _counters(answer: str) -> dict[str, int]:
    """Return how often each enabled fault or script has acted, keyed by name."""
    document = json.loads(answer)
    listed = document["active"] if "active" in document else document["scripts"]
    return {str(one["name"]): int(one["acted"]) for one in listed}
