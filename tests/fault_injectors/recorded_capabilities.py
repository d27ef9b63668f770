"""Capabilities that note what they are asked for: the outer edge of a fault."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from harness.model.fault import Applied, ToxicSpec
from harness.model.system import Link


@dataclass(slots=True)
class Recorded:
    """Offer every capability; `calls` tells what was asked, `active` what is in force."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    active: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def network(self) -> "Recorded":
        return self

    @property
    def processes(self) -> "Recorded":
        return self

    @property
    def resources(self) -> "Recorded":
        return self

    @property
    def in_process(self) -> "Recorded":
        return self

    @property
    def upstreams(self) -> "Recorded":
        return self

    @property
    def attachments(self) -> "Recorded":
        return self

    @property
    def names(self) -> "Recorded":
        return self

    @property
    def limits(self) -> "Recorded":
        return self

    @property
    def disks(self) -> "Recorded":
        return self

    @property
    def clocks(self) -> "Recorded":
        return self

    def toxic(self, link: Link, toxic: ToxicSpec) -> AbstractAsyncContextManager[Applied]:
        return self._effect("toxic", link, toxic)

    def down(self, link: Link) -> AbstractAsyncContextManager[Applied]:
        return self._effect("down", link)

    def partition(
        self, link: Link, *, direction: str, answer: str
    ) -> AbstractAsyncContextManager[Applied]:
        return self._effect("partition", link, direction, answer)

    def disconnect(self, service: str) -> AbstractAsyncContextManager[Applied]:
        return self._effect("disconnect", service)

    def fail(self, service: str, how: str) -> AbstractAsyncContextManager[Applied]:
        return self._effect("fail", service, how)

    def delay(self, service: str, delay_s: float) -> AbstractAsyncContextManager[Applied]:
        return self._effect("delay", service, delay_s)

    def kill(self, service: str) -> AbstractAsyncContextManager[Applied]:
        return self._effect("kill", service)

    def stop(self, service: str) -> AbstractAsyncContextManager[Applied]:
        return self._effect("stop", service)

    def pause(self, service: str) -> AbstractAsyncContextManager[Applied]:
        return self._effect("pause", service)

    def restart(self, service: str) -> AbstractAsyncContextManager[Applied]:
        return self._effect("restart", service)

    def cpu_pressure(self, service: str, workers: int) -> AbstractAsyncContextManager[Applied]:
        return self._effect("cpu_pressure", service, workers)

    def memory_pressure(
        self, service: str, size_bytes: int
    ) -> AbstractAsyncContextManager[Applied]:
        return self._effect("memory_pressure", service, size_bytes)

    def fds_exhausted(self, service: str, spare: int) -> AbstractAsyncContextManager[Applied]:
        return self._effect("fds_exhausted", service, spare)

    def connections_exhausted(
        self, service: str, spare: int
    ) -> AbstractAsyncContextManager[Applied]:
        return self._effect("connections_exhausted", service, spare)

    def fault(
        self, service: str, fault: str, settings: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[Applied]:
        return self._effect("fault", service, fault, dict(settings))

    def script(
        self, service: str, script: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[Applied]:
        return self._effect("script", service, dict(script))

    def cpu_quota(self, service: str, cores: float) -> AbstractAsyncContextManager[Applied]:
        return self._effect("cpu_quota", service, cores)

    def oom_kill(self, service: str) -> AbstractAsyncContextManager[Applied]:
        return self._effect("oom_kill", service)

    def fill(self, service: str, spare_bytes: int) -> AbstractAsyncContextManager[Applied]:
        return self._effect("fill", service, spare_bytes)

    def skew(self, service: str, offset_s: float) -> AbstractAsyncContextManager[Applied]:
        return self._effect("skew", service, offset_s)

    @asynccontextmanager
    async def _effect(self, *call: Any):
        self.calls.append(call)
        self.active.append(call)
        try:
            yield Applied(read_back="in force")
        finally:
            self.active.remove(call)
