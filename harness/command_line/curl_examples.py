"""Commands to paste for a system that is up: its requests, its chaos endpoints, its fault proxy.

The harness knows no service, so the requests are those of the scenarios beside the system's file.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from harness.environments.standing import Standing
from harness.model.scenario import Load, Scenario
from harness.model.system import System

_FIELD = re.compile(r"\{(\w+)\}")
_LATENCY_MS = 1000


def curl_examples(
    standing: Standing, system: System, scenarios: list[Scenario]
) -> Iterator[tuple[str, str]]:
    """Yield what each command does and the command, ready to paste."""
    yield from _requests(standing, system, scenarios)
    yield from _chaos(standing, system)
    yield from _proxy(standing)


def _requests(
    standing: Standing, system: System, scenarios: list[Scenario]
) -> Iterator[tuple[str, str]]:
    shown = set()
    for scenario in scenarios:
        for load in scenario.loads:
            key = (load.service, load.method, load.path)
            if key not in shown and load.service in standing.services:
                shown.add(key)
                yield load.service, _of_load(load, standing, system)
    for service in system.services:
        if service.ready_path and not any(name == service.name for name, *_ in shown):
            address = standing.services[service.name]
            yield service.name, _curl("GET", f"http://{address}{service.ready_path}")


def _of_load(load: Load, standing: Standing, system: System) -> str:
    row = system.datasets[load.dataset][0] if load.dataset else {}
    url = f"http://{standing.services[load.service]}{_filled(load.path, row)}"
    return _curl(load.method, url, body=_filled_body(load.body, row))


def _filled(text: str, row: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: row.get(match[1], match[0]), text)


def _filled_body(body: Any, row: Mapping[str, str]) -> Any:
    if isinstance(body, str):
        return _filled(body, row)
    if isinstance(body, list | tuple):
        return [_filled_body(one, row) for one in body]
    if isinstance(body, Mapping):
        return {key: _filled_body(value, row) for key, value in body.items()}
    return body


def _chaos(standing: Standing, system: System) -> Iterator[tuple[str, str]]:
    """Yield one command for a service that calls others, and one for a stand-in that does not."""
    told = set()
    for service in system.services:
        is_client = bool(system.upstreams(service.name))
        if not service.has_chaos or is_client in told:
            continue
        told.add(is_client)
        url = f"http://{standing.services[service.name]}/chaos/"
        url += "faults" if is_client else "scripts"
        body = (
            {"fault": "upstream_error", "enabled": True}
            if is_client
            else {"name": "busy", "status": 503}
        )
        does = "make its calls fail" if is_client else "make it answer 503"
        yield f"{service.name}: {does}", _curl("POST", url, body=body, token=standing.token)
        yield f"{service.name}: heal", _curl("DELETE", url, token=standing.token)


def _proxy(standing: Standing) -> Iterator[tuple[str, str]]:
    api = f"http://{standing.proxy}/proxies"
    yield "fault proxy: all links", _curl("GET", api)
    for link in list(standing.links)[:1]:
        url = f"{api}/{link.replace(' -> ', '-')}"
        toxic = {"name": "late", "type": "latency", "attributes": {"latency": _LATENCY_MS}}
        yield f"{link}: 1 s late", _curl("POST", f"{url}/toxics", body=toxic)
        yield f"{link}: heal", _curl("DELETE", f"{url}/toxics/late")
        yield f"{link}: refuse connections", _curl("POST", url, body={"enabled": False})
        yield f"{link}: heal", _curl("POST", url, body={"enabled": True})


def _curl(method: str, url: str, *, body: Any = None, token: str | None = None) -> str:
    words = ["curl", "-s"]
    if method != ("GET" if body is None else "POST"):
        words += ["-X", method]
    if token is not None:
        words += ["-H", f"x-atlas-chaos-token: {token}"]
    if body is not None:
        # `--json` would be shorter, but curl knows it only since 7.82.
        words += ["-H", "content-type: application/json", "-d", json.dumps(body)]
    return shlex.join([*words, url])
