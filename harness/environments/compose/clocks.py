"""Set the wall clocks of containers wrong, with libfaketime.

The library is loaded only into services for which a scenario has a wrong clock, and there asks a
file for its offset, so that it can be changed while the service runs. Calls for the monotonic
clock go past it: timeouts, ages of caches and records of events stay right.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import httpx

from harness.clock import Clock
from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import Engine
from harness.environments.compose.targets import running
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied, Capability, Effect
from harness.model.records import NS_PER_S
from harness.model.scenario import Scenario
from harness.plain_http import plain_client

_UNDO = {"kind": "ends_with_process"}  # the file is in the container, and ends with it
_FILE = "/tmp/atlas-clock-offset"  # noqa: S108 -- of the container, whose service runs alone there
_PRELOADED: Mapping[str, str] = {
    # Where Debian's package puts it; the loader replaces $LIB by the folder of its architecture.
    "LD_PRELOAD": "/usr/$LIB/faketime/libfaketimeMT.so.1",
    "FAKETIME_TIMESTAMP_FILE": _FILE,
    "FAKETIME_NO_CACHE": "1",  # the file is read at each look at the clock: 7 us
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "NO_FAKE_STAT": "1",  # times of files are the kernel's
}
# By renaming, because the service may read it at any moment.
_SET = f'printf %s "$1" >{_FILE}.new && mv {_FILE}.new {_FILE}'
_RESET = f"rm -f {_FILE}"
_NEAR_S = 3.0  # dates are whole seconds, and servers renew them once a second
_TOLD_WITHIN_S = 30.0  # it takes a second; this is for a service that is throttled besides
_POLL_S = 0.1


def preloaded(scenario: Scenario, service: str) -> Mapping[str, str]:
    """Return the variables that make the clock of a service adjustable, if a scenario needs it."""
    is_needed = any(
        Capability.CLOCK in entry.fault.needs and entry.fault.target == service
        for entry in scenario.timeline
    )
    return _PRELOADED if is_needed else {}


class ContainerClocks:
    """Act on the wall clocks of the services of one run."""

    def __init__(
        self,
        services: Mapping[str, ServiceContainer],
        *,
        engine: Engine,
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._services = services
        self._engine = engine
        self._clock = clock
        self._journal = journal

    def skew(self, service: str, offset_s: float) -> Effect:
        """Set the wall clock of a service `offset_s` ahead; healing sets it right."""
        target = running(self._services, service)
        if target.service.ready_path is None:
            raise FaultNotApplied(f"service {service!r} does not tell its time over HTTP")
        return self._skewed(target, offset_s)

    @asynccontextmanager
    async def _skewed(self, service: ServiceContainer, offset_s: float) -> AsyncIterator[Applied]:
        with self._journal.undoing(f"skew clock of {service.name}", _UNDO):
            try:
                said = await self._run(service, _SET, f"{offset_s:+.3f}")
                if said:
                    raise FaultNotApplied(f"clock of {service.name!r} cannot be set: {said}")
                seen_s = await self._told(service, offset_s)
                if abs(seen_s - offset_s) > _NEAR_S:
                    raise FaultNotApplied(
                        f"clock of {service.name!r} is off by {seen_s:.0f} s, not {offset_s:g} s; "
                        "its image needs Debian's package libfaketime"
                    )
                seen = f"answers of {service.name} are dated {seen_s:+.0f} s"
                yield Applied(read_back=seen, effects=1, effect=seen)
            finally:
                await self._set_right(service)

    async def _set_right(self, service: ServiceContainer) -> None:
        async with service.turn:
            if not service.is_running:
                await service.start()  # it died of the wrong time; it starts with the right one
        said = await self._run(service, _RESET)
        if said:
            raise FaultNotHealed(f"clock of {service.name!r} cannot be set right: {said}")
        seen_s = await self._told(service, 0.0)
        if abs(seen_s) > _NEAR_S:
            raise FaultNotHealed(f"clock of {service.name!r} is still off by {seen_s:.0f} s")

    async def _run(self, service: ServiceContainer, script: str, *arguments: str) -> str:
        """Run a script in the container, and return why it failed; empty if it did not."""
        argv = ("sh", "-c", script, "sh", *arguments)
        code, said = await self._engine.run(service.container, argv, {})
        return "" if code == 0 else f"code {code}, {said.decode(errors='replace').strip()}"

    async def _told(self, service: ServiceContainer, expected_s: float) -> float:
        """Return how far ahead the service says it is, as soon as it is near what is expected."""
        seen_s = float("inf")
        url = f"http://127.0.0.1:{service.port}{service.service.ready_path}"
        bound_ns = self._clock.now_ns() + int(_TOLD_WITHIN_S * NS_PER_S)
        async with plain_client(timeout=_TOLD_WITHIN_S) as client:
            while self._clock.now_ns() < bound_ns:
                seen_s = await self._ahead_s(client, url)
                if abs(seen_s - expected_s) <= _NEAR_S:
                    break
                await self._clock.sleep(_POLL_S)
        return seen_s

    async def _ahead_s(self, client: httpx.AsyncClient, url: str) -> float:
        """Return how far the date of an answer is ahead of this host; infinity without a date."""
        try:
            date = (await client.get(url)).headers.get("date")
            moment = parsedate_to_datetime(date or "")
        except (httpx.HTTPError, ValueError):
            return float("inf")
        return moment.timestamp() - self._clock.wall_unix_ns() / NS_PER_S
