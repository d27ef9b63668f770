"""Kill, stop, pause and restart the containers of services."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.targets import started
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied, Effect

# Whatever is done to a container ends with it, and that is the undo of all with the run's label.
_UNDO = {"kind": "ends_with_process"}


class ContainerFaults:
    """Act on the containers of the services of one run."""

    def __init__(self, services: Mapping[str, ServiceContainer], *, journal: Journal) -> None:
        self._services = services
        self._journal = journal

    def kill(self, service: str) -> Effect:
        """Kill all processes with SIGKILL; healing starts the container again."""
        return self._absent(started(self._services, service), "kill")

    def stop(self, service: str) -> Effect:
        """Stop by the container's own signal; healing starts it again."""
        return self._absent(started(self._services, service), "stop")

    def pause(self, service: str) -> Effect:
        """Freeze by the engine, which reaches every process; healing lets them go on."""
        return self._frozen(started(self._services, service))

    def restart(self, service: str) -> Effect:
        """Stop and start again at once; healing finds it running."""
        return self._restarted(started(self._services, service))

    @asynccontextmanager
    async def _absent(self, service: ServiceContainer, how: str) -> AsyncIterator[Applied]:
        with self._journal.undoing(f"{how} {service.name}", _UNDO):
            try:
                async with service.turn:
                    seen = await self._end(service, how)
                yield Applied(read_back=seen, effects=1, effect=seen)
            finally:
                async with service.turn:
                    await service.start()

    @staticmethod
    async def _end(service: ServiceContainer, how: str) -> str:
        """End a container, and return what the engine says of it then."""
        ended = True
        if how == "kill":
            await service.kill()
        else:
            ended = await service.stop()
        state = await service.state()
        if state.status != "exited":
            raise FaultNotApplied(f"container of {service.name!r} is {state.status}")
        seen = f"container of {service.name} exited with code {state.exit_code}"
        return seen if ended else f"{seen}, by force"

    @asynccontextmanager
    async def _restarted(self, service: ServiceContainer) -> AsyncIterator[Applied]:
        with self._journal.undoing(f"restart {service.name}", _UNDO):
            async with service.turn:
                before = service.pid
                ended = await service.restart()
                seen = f"process {before} became {service.pid}"
            seen += "" if ended else ", ended by force"
            yield Applied(read_back=seen, effects=1, effect=seen)

    @asynccontextmanager
    async def _frozen(self, service: ServiceContainer) -> AsyncIterator[Applied]:
        with self._journal.undoing(f"pause {service.name}", _UNDO):
            try:
                async with service.turn:
                    state = await service.pause()
                if state.status != "paused":
                    raise FaultNotApplied(f"container of {service.name!r} is {state.status}")
                seen = f"container of {service.name} is {state.status}"
                yield Applied(read_back=seen, effects=1, effect=seen)
            finally:
                state = await service.resume()
                if state.status == "paused":
                    raise FaultNotHealed(f"container of {service.name!r} is still paused")
