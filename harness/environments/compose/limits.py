"""Take processors and memory away from the containers of services, by the engine's limits."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import Engine
from harness.environments.compose.targets import running
from harness.environments.compose.told import Granted
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed, HarnessError
from harness.model.fault import Applied, Effect

# A quota ends with its container, and that is the undo of all with the run's label.
_UNDO = {"kind": "ends_with_process"}


class ContainerLimits:
    """Act on what the engine grants to the containers of one run."""

    def __init__(
        self, services: Mapping[str, ServiceContainer], *, engine: Engine, journal: Journal
    ) -> None:
        self._services = services
        self._engine = engine
        self._journal = journal

    def cpu_quota(self, service: str, cores: float) -> Effect:
        """Lower the quota of a container to `cores` processors; healing grants the former one."""
        return self._throttled(running(self._services, service), cores)

    def oom_kill(self, service: str) -> Effect:
        """Let the kernel kill the service for want of memory; healing starts it again."""
        return self._killed(running(self._services, service))

    @asynccontextmanager
    async def _throttled(self, service: ServiceContainer, cores: float) -> AsyncIterator[Applied]:
        before = await self._engine.granted(service.container)
        wanted_us = round(cores * before.cpu_period_us)
        _demand_lower_quota(service.name, before, wanted_us)
        with self._journal.undoing(f"throttle {service.name}", _UNDO):
            try:
                seen = await self._grant(service, before, wanted_us)
                if seen != wanted_us:
                    raise FaultNotApplied(f"quota of {service.name!r} is {seen}, not {wanted_us}")
                applied = Applied(read_back=f"{service.name} may use {cores:g} processors")
                throttled = await self._engine.throttled_periods(service.container)
                try:
                    yield applied
                finally:
                    now = await self._engine.throttled_periods(service.container)
                    applied.effects = now - throttled if now >= throttled else now  # it restarted
                    applied.effect = f"stopped for the rest of {applied.effects} periods"
            finally:
                seen = await self._grant(service, before, before.cpu_quota_us)
                if seen != before.cpu_quota_us:
                    raise FaultNotHealed(
                        f"quota of {service.name!r} is {seen}, not {before.cpu_quota_us} again"
                    )

    async def _grant(self, service: ServiceContainer, before: Granted, quota_us: int) -> int:
        """Grant a quota, 0 for none, and return the one that the engine then tells."""
        await self._engine.grant_cpu(
            service.container, period_us=before.cpu_period_us, quota_us=quota_us
        )
        return (await self._engine.granted(service.container)).cpu_quota_us

    @asynccontextmanager
    async def _killed(self, service: ServiceContainer) -> AsyncIterator[Applied]:
        limit_bytes = (await self._engine.granted(service.container)).memory_bytes
        if limit_bytes is None:
            raise FaultNotApplied(
                f"container of {service.name!r} has no limit of memory and swap, so all of this "
                "host's would be taken; give it mem_limit and memswap_limit in the Compose file"
            )
        with self._journal.undoing(f"exhaust memory of {service.name}", _UNDO):
            try:
                async with service.turn:
                    seen = await self._exhaust(service, limit_bytes)
                yield Applied(read_back=seen, effects=1, effect=seen)
            finally:
                async with service.turn:
                    await service.state()  # nobody has waited for its end if that was cancelled
                    if not service.is_running:
                        await service.start()

    @staticmethod
    async def _exhaust(service: ServiceContainer, limit_bytes: int) -> str:
        try:
            state = await service.exhaust_memory(limit_bytes)
        except HarnessError as error:
            raise FaultNotApplied(f"{service.name!r} was not killed: {error}") from error
        if not state.is_oom_killed:
            raise FaultNotApplied(f"container of {service.name!r} ended, but not by the kernel")
        return f"container of {service.name} exited with code {state.exit_code}, out of memory"


def _demand_lower_quota(name: str, granted: Granted, wanted_us: int) -> None:
    if granted.is_cpus:
        raise FaultNotApplied(
            f"container of {name!r} was made with `cpus`, beside which the engine takes no quota; "
            "give it cpu_period and cpu_quota in the Compose file instead"
        )
    if 0 < granted.cpu_quota_us <= wanted_us:
        raise FaultNotApplied(
            f"{name!r} is granted {granted.cpu_quota_us / granted.cpu_period_us:g} processors: "
            "choose less"
        )
