"""A real Prometheus that watches the system of a run: what it is told, and what it is asked.

It is no part of the system: no fault acts on it, and it reads the services directly, past the fault
proxy. Who starts it is a matter of the environment.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from harness.clock import Clock
from harness.environments.start import Start, subfolder
from harness.model.alert_rules import render_rules
from harness.model.alerting import Alerting
from harness.model.errors import HarnessError, ServiceNotReady
from harness.model.records import NS_PER_S, AlertReading
from harness.model.run import Recorder
from harness.plain_http import plain_client

_READY_WITHIN_S = 30.0  # it finds its targets in steps of 5 s; the rest is for two busy cores
_ANSWER_WITHIN_S = 2.0  # it answers in milliseconds; what takes longer is no look any more
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a Prometheus answers and what it watches.

    Args:
        alerts: What the scenario says of it; its interval is scaled already.
        rules: The rules, rendered.
        targets: `host:port` of each service that it scrapes.
        port: Its own port on loopback.
        settings: Folder for its configuration, which is kept with the run.
    """

    alerts: Alerting
    rules: str
    targets: Mapping[str, str]
    port: int
    settings: Path

    @property
    def rules_file(self) -> Path:
        """Return where the rules are written."""
        return self.settings / "rules.yml"

    def write(self) -> Path:
        """Write rules and configuration, and return the path of the latter."""
        self.rules_file.write_text(self.rules, encoding="utf-8")
        path = self.settings / "prometheus.yml"
        document = json.dumps(self.configuration(), indent=2)  # JSON is YAML
        path.write_text(document + "\n", encoding="utf-8")
        return path

    def configuration(self) -> Mapping[str, Any]:
        """Return the configuration: a job for each service, named like it.

        It finds the rules beside it, since a container sees both under another path.
        """
        every = f"{max(1, round(self.alerts.every_s * 1000))}ms"
        return {
            "global": {
                "scrape_interval": every,
                "scrape_timeout": every,
                "evaluation_interval": every,
            },
            "rule_files": [self.rules_file.name],
            "scrape_configs": [
                {
                    "job_name": service,
                    "metrics_path": self.alerts.path,
                    "static_configs": [{"targets": [address]}],
                }
                for service, address in self.targets.items()
            ],
        }


def site_of(start: Start, alerts: Alerting, targets: Mapping[str, str]) -> Site:
    """Return the site of a run's Prometheus, with the rules in the run's time scale.

    Args:
        start: The start of the run.
        alerts: What the scenario says.
        targets: `host:port` of every service of the run, as Prometheus reaches it.

    Raises:
        HarnessError: If the rules cannot be read or rendered any more.
    """
    path = start.scenario.path.parent / alerts.rules
    try:
        rules = render_rules(path.read_text(encoding="utf-8"), start.settings.time_scale)
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path}: {error}") from error
    return Site(
        alerts=alerts,
        rules=rules,
        targets={service: targets[service] for service in alerts.scrape},
        port=start.ports.take(),
        settings=subfolder(start.settings.folder, "prometheus"),
    )


class Prometheus:
    """A Prometheus that was started.

    Args:
        site: Where it answers and what it watches.
        clock: Clock of the run.
        demand_alive: Raises HarnessError if it has ended, with what it said.
    """

    def __init__(self, site: Site, *, clock: Clock, demand_alive: Callable[[], None]) -> None:
        self._site = site
        self._clock = clock
        self._demand_alive = demand_alive
        self._client = plain_client(
            base_url=f"http://127.0.0.1:{site.port}/api/v1", timeout=_ANSWER_WITHIN_S
        )

    async def aclose(self) -> None:
        """Close the connections to it."""
        await self._client.aclose()

    def check_alive(self) -> None:
        """Raise if it has died: then no alert of this run means anything."""
        self._demand_alive()

    async def wait_until_watching(self) -> None:
        """Wait until every service has been scraped and every alert evaluated once.

        Raises:
            ServiceNotReady: If that takes longer than 30 s, saying what is missing.
            HarnessError: If it ends, with what it said.
        """
        missing = "it does not answer"
        for _ in range(int(_READY_WITHIN_S / _POLL_S)):
            self.check_alive()
            try:
                missing = await self._missing()
            except httpx.HTTPError as error:
                missing = f"it does not answer: {error!r}"
            if not missing:
                return
            await self._clock.sleep(_POLL_S)
        raise ServiceNotReady(
            f"Prometheus was not watching within {_READY_WITHIN_S:g} s: {missing}"
        )

    async def _missing(self) -> str:
        """Return what is not watched yet; empty if all is."""
        targets = (await self._asked("targets"))["activeTargets"]
        if len(targets) < len(self._site.targets):
            return f"it knows {len(targets)} of {len(self._site.targets)} services"
        for target in targets:
            if target["health"] != "up":
                job = target["labels"].get("job", "")
                return f"service {job!r} was not scraped: {target['lastError'] or 'not yet'}"
        unknown = [rule["name"] for rule in await self._rules() if rule["health"] == "unknown"]
        return f"not evaluated yet: {', '.join(unknown)}" if unknown else ""

    async def read(self) -> list[AlertReading]:
        """Return what all alerts are at this moment; one record without a name if none can say."""
        try:
            rules = await self._rules()
        except (httpx.HTTPError, ValueError, KeyError) as error:
            return [AlertReading(t_ns=self._clock.now_ns(), alert="", error=repr(error))]
        t_ns = self._clock.now_ns()
        return [reading for rule in rules for reading in readings_of(rule, t_ns)]

    async def _rules(self) -> list[Mapping[str, Any]]:
        groups = (await self._asked("rules", type="alert"))["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def _asked(self, path: str, **query: str) -> Mapping[str, Any]:
        answer = await self._client.get(f"/{path}", params=query)
        answer.raise_for_status()
        told: Mapping[str, Any] = answer.json()["data"]
        return told

    @asynccontextmanager
    async def recording_alerts(self, record: Recorder) -> AsyncIterator[None]:
        """Record what all alerts are, once per interval, while the context is open."""
        task = asyncio.create_task(self._record_all(record))
        try:
            yield
        finally:
            task.cancel()
            [ended] = await asyncio.gather(task, return_exceptions=True)
            if isinstance(ended, Exception):
                raise HarnessError("looking at the alerts broke") from ended

    async def _record_all(self, record: Recorder) -> None:
        due_ns = self._clock.now_ns()
        every_ns = max(1, round(self._site.alerts.every_s * NS_PER_S))
        while True:
            for reading in await self.read():
                record(reading)
            due_ns += every_ns * max(1, -(-(self._clock.now_ns() - due_ns) // every_ns))
            await self._clock.sleep((due_ns - self._clock.now_ns()) / NS_PER_S)


def readings_of(rule: Mapping[str, Any], t_ns: int) -> list[AlertReading]:
    """Return one record for each active series of a rule, or one that says that none is.

    >>> readings_of({"name": "Slow", "health": "ok", "alerts": []}, 7)
    [AlertReading(t_ns=7, alert='Slow', state='inactive', labels={}, error=None)]
    """
    name = rule["name"]
    if rule["health"] == "err":
        return [AlertReading(t_ns=t_ns, alert=name, error=rule.get("lastError", ""))]
    active = [
        AlertReading(t_ns=t_ns, alert=name, state=series["state"], labels=series["labels"])
        for series in rule["alerts"]
    ]
    return active or [AlertReading(t_ns=t_ns, alert=name, state="inactive")]
