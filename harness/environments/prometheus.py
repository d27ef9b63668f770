"""A real Prometheus beside the system of a run: it scrapes, evaluates the rules, and is asked.

It is a process of the run like any other (mark, port, work folder, log), but no part of the system:
no fault acts on it, and it reads the services directly, past the fault proxy.
"""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from harness.clock import Clock
from harness.environments import child
from harness.environments.start import Start, subfolder
from harness.model.alert_rules import render_rules
from harness.model.alerting import Alerting
from harness.model.errors import HarnessError, MissingDependency, ServiceNotReady
from harness.model.records import NS_PER_S, AlertReading
from harness.model.run import Recorder
from harness.plain_http import plain_client

PROGRAM = "prometheus"
_READY_WITHIN_S = 30.0  # it finds its targets in steps of 5 s; the rest is for two busy cores
_STOP_WITHIN_S = 5.0
_ANSWER_WITHIN_S = 2.0  # it answers in milliseconds; what takes longer is no look any more
_POLL_S = 0.1


def find_program() -> str:
    """Return the path of Prometheus.

    Raises:
        MissingDependency: If it is not on PATH, with what to install.
    """
    path = shutil.which(PROGRAM)
    if path is None:
        raise MissingDependency(
            "no Prometheus found, and the scenario has 'alerts'; install it (Debian: apt-get "
            "install prometheus) or put its folder on PATH"
        )
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a Prometheus runs and what it watches.

    Args:
        alerts: What the scenario says of it; its interval is scaled already.
        rules: The rules, rendered.
        targets: `host:port` of each service that it scrapes.
        port: Its own port on loopback.
        settings: Folder for its configuration, which is kept with the run.
        storage: Folder for its samples, which are not.
        log: File for what it says.
    """

    alerts: Alerting
    rules: str
    targets: Mapping[str, str]
    port: int
    settings: Path
    storage: Path
    log: Path

    def write(self) -> Path:
        """Write rules and configuration, and return the path of the latter."""
        rules = self.settings / "rules.yml"
        rules.write_text(self.rules, encoding="utf-8")
        path = self.settings / "prometheus.yml"
        document = self.configuration(rules)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")  # JSON is YAML
        return path

    def configuration(self, rules: Path) -> Mapping[str, Any]:
        """Return the configuration: a job for each service, named like it."""
        every = f"{max(1, round(self.alerts.every_s * 1000))}ms"
        return {
            "global": {
                "scrape_interval": every,
                "scrape_timeout": every,
                "evaluation_interval": every,
            },
            "rule_files": [str(rules)],
            "scrape_configs": [
                {
                    "job_name": service,
                    "metrics_path": self.alerts.path,
                    "static_configs": [{"targets": [address]}],
                }
                for service, address in self.targets.items()
            ],
        }


def site_of(start: Start, alerts: Alerting, targets: Mapping[str, str], storage: Path) -> Site:
    """Return the site of a run's Prometheus, with the rules in the run's time scale.

    Args:
        start: The start of the run.
        alerts: What the scenario says.
        targets: `host:port` of every service of the run.
        storage: Folder for samples, made if it is not there.

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
        storage=storage,
        log=start.logs / "prometheus.log",
    )


class Prometheus:
    """A Prometheus that was started."""

    def __init__(self, process: asyncio.subprocess.Process, site: Site, clock: Clock) -> None:
        self._process = process
        self._site = site
        self._clock = clock
        self._client = plain_client(
            base_url=f"http://127.0.0.1:{site.port}/api/v1", timeout=_ANSWER_WITHIN_S
        )

    def check_alive(self) -> None:
        """Raise if the process has died: then no alert of this run means anything."""
        if self._process.returncode is not None:
            told = child.tail(self._site.log)
            raise HarnessError(f"Prometheus ended with code {self._process.returncode}: {told}")

    async def wait_until_watching(self) -> None:
        """Wait until every service has been scraped and every alert evaluated once.

        Raises:
            ServiceNotReady: If that takes longer than 30 s, saying what is missing.
            HarnessError: If the process ends, with what it said.
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

    async def close(self, *, keep: bool) -> None:
        """Stop the process, unless the system is to be kept."""
        await self._client.aclose()
        if not keep:
            await child.stop(self._process, how=signal.SIGTERM, within_s=_STOP_WITHIN_S)


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


@asynccontextmanager
async def prometheus(
    site: Site, *, environment: Mapping[str, str], clock: Clock, keep: bool
) -> AsyncIterator[Prometheus]:
    """Start a Prometheus, without waiting for it; leaving stops it.

    Raises:
        MissingDependency: If there is none.
        HarnessError: If it cannot be started.
    """
    command = child.Command(
        argv=[
            find_program(),
            f"--config.file={site.write()}",
            f"--storage.tsdb.path={site.storage}",
            f"--web.listen-address=127.0.0.1:{site.port}",
            "--log.level=warn",
        ],
        environment={**environment, "GOMAXPROCS": "1"},  # the cores are for the system
        log=site.log,
    )
    server = Prometheus(await child.spawn(command), site, clock)
    try:
        yield server
    finally:
        await server.close(keep=keep)
