"""Kill, stop, pause and restart the processes of services."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import psutil

from harness.clock import Clock
from harness.environments import child
from harness.environments.journal import Journal
from harness.environments.services import ServiceProcess
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied, Effect

_READ_BACK_WITHIN_S = 2.0
_POLL_S = 0.01


class ProcessFaults:
    """Act on the processes of the services of one run."""

    def __init__(
        self, services: Mapping[str, ServiceProcess], *, journal: Journal, clock: Clock
    ) -> None:
        self._services = services
        self._journal = journal
        self._clock = clock

    def _service(self, name: str) -> ServiceProcess:
        service = self._services.get(name)
        if service is None:
            raise FaultNotApplied(f"service {name!r} was not started in this run")
        return service

    def kill(self, service: str) -> Effect:
        """Kill with SIGKILL; healing starts a new incarnation."""
        return self._absent(self._service(service), "kill")

    def stop(self, service: str) -> Effect:
        """Stop with SIGTERM; healing starts a new incarnation."""
        return self._absent(self._service(service), "stop")

    def restart(self, service: str) -> Effect:
        """Stop with SIGTERM and start again at once; healing finds it running."""
        return self._restarted(self._service(service))

    def pause(self, service: str) -> Effect:
        """Freeze with SIGSTOP; healing lets it go on."""
        return self._frozen(self._service(service))

    @asynccontextmanager
    async def _absent(self, service: ServiceProcess, how: str) -> AsyncIterator[Applied]:
        pid = service.pid
        with self._journal.undoing(f"{how} {service.name}", {"kind": "ends_with_process"}):
            ended = await self._end(service, how)
            self._demand_gone(service)
            seen = f"process {pid} of {service.name} is gone" + ("" if ended else ", by force")
            try:
                yield Applied(read_back=seen, effects=1, effect=seen)
            finally:
                await service.start()

    @staticmethod
    async def _end(service: ServiceProcess, how: str) -> bool:
        if how == "kill":
            await service.kill()
            return True
        return await service.stop()

    @staticmethod
    def _demand_gone(service: ServiceProcess) -> None:
        if service.is_running:
            raise FaultNotApplied(f"service {service.name!r} is still running")

    @asynccontextmanager
    async def _restarted(self, service: ServiceProcess) -> AsyncIterator[Applied]:
        pid = service.pid
        with self._journal.undoing(f"restart {service.name}", {"kind": "ends_with_process"}):
            ended = await service.restart()
            seen = f"process {pid} became {service.pid}" + ("" if ended else ", ended by force")
            yield Applied(read_back=seen, effects=1, effect=seen)

    @asynccontextmanager
    async def _frozen(self, service: ServiceProcess) -> AsyncIterator[Applied]:
        pid = service.pid
        undo = {"kind": "signal", "pid": pid, "started": psutil.Process(pid).create_time()}
        with self._journal.undoing(f"pause {service.name}", undo):
            try:
                service.pause()
                seen = await self._state(service, want_stopped=True)
                if seen != psutil.STATUS_STOPPED:
                    raise FaultNotApplied(f"process {pid} of {service.name!r} is {seen}")
                yield Applied(read_back=f"process {pid} is {seen}", effects=1, effect=seen)
            finally:
                service.resume()
                seen = await self._state(service, want_stopped=False)
                if seen == psutil.STATUS_STOPPED:
                    raise FaultNotHealed(f"process {pid} of {service.name!r} is still stopped")

    async def _state(self, service: ServiceProcess, *, want_stopped: bool) -> str:
        """Return the kernel's word for the process's state once it is the wanted one."""
        state = ""
        for _ in range(int(_READ_BACK_WITHIN_S / _POLL_S)):
            state = child.state_of(service.pid) if service.is_running else "gone"
            if (state == psutil.STATUS_STOPPED) is want_stopped:
                break
            await self._clock.sleep(_POLL_S)
        return state
