"""Run one service as a process: events, logs, signals and a bounded shutdown.

On SIGTERM the live event streams end first, because the server waits for its connections and
those never end by themselves. Connections that are open get one more answer each, which says that
it is the last; whoever does not ask for it is left after half a second. Then answers in flight get
the grace that the settings allow, and the process exits with 0.
"""

import asyncio
import math
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, Protocol

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from shadow_atlas.clock import Clock, SystemClock
from shadow_atlas.dotted_paths import load
from shadow_atlas.events import EventFile, EventLog
from shadow_atlas.listening import BACKLOG, adopt, listen
from shadow_atlas.logs import configure_logs
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.tickers import tick_clock, watch_lag

STALL_S: Final = 1.0  # a reader that takes no byte for so long has gone
KEEP_ALIVE_S: Final = 30  # longer than clients rest, so that they close first and lose no request
LEAVING_S: Final = 0.5  # a busy client has asked on each of its connections by then
LOOK_S: Final = 0.02  # so often it is seen whether all have gone
EXIT_CONFIGURATION: Final = 2
EXIT_ADDRESS: Final = 3


class ProcessSettings(Protocol):
    """Settings of any service: what they have in common is enough to run it."""

    @property
    def service(self) -> ServiceSettings:
        """What every service is told."""
        ...


@dataclass(slots=True, eq=False)  # exceptions are compared by identity
class CannotRun(Exception):
    """Why a process ends before it serves, in words for its operator, and with which code."""

    message: str
    exit_code: int


def run_service(
    environment: Mapping[str, str], *, read_settings: Callable[[Mapping[str, str]], ProcessSettings]
) -> int:
    """Run a service until SIGTERM or SIGINT.

    Args:
        environment: The variables of the process.
        read_settings: Parses them.

    Returns:
        0 after an orderly stop, 2 if the configuration is wrong (it is named on stderr), 3 if the
        address cannot be listened on.
    """
    clock = SystemClock()
    try:
        settings, create_app, resilience = _configured(environment, read_settings)
        log, listener = _opened(settings.service, clock=clock)
    except CannotRun as reason:
        sys.stderr.write(f"{reason.message}\n")
        return reason.exit_code
    service = settings.service
    configure_logs(service=service.name, incarnation=service.incarnation, clock=clock)
    with listener:
        app = create_app(
            settings,
            clock=clock,
            rng=service_rng(service),
            metrics_registry=CollectorRegistry(),
            event_sink=log,
            resilience=resilience,
        )
        asyncio.run(_serve(app, service=service, listener=listener, log=log, clock=clock))
    log.close()
    return 0


def _configured(
    environment: Mapping[str, str], read_settings: Callable[[Mapping[str, str]], ProcessSettings]
) -> tuple[ProcessSettings, Callable[..., ASGIApp], Callable[..., Any]]:
    try:
        settings = read_settings(environment)
        create_app = load(settings.service.app, variable="ATLAS_APP")
        resilience = load(settings.service.resilience, variable="ATLAS_RESILIENCE")
    except ValueError as error:  # ConfigurationError, and settings that contradict each other
        raise CannotRun(str(error), EXIT_CONFIGURATION) from error
    return settings, create_app, resilience


def _opened(service: ServiceSettings, *, clock: Clock) -> tuple[EventLog, socket.socket]:
    try:
        log = open_event_log(service, clock=clock)
    except OSError as error:
        message = f"ATLAS_EVENT_DIR: cannot write events: {error}"
        raise CannotRun(message, EXIT_CONFIGURATION) from error
    inherited = service.listener_descriptor
    try:
        if inherited is None:
            return log, listen(service.host, service.port)
        return log, adopt(inherited)
    except (OSError, ValueError) as error:
        log.close()
        named = "ATLAS_HOST, ATLAS_PORT" if inherited is None else "ATLAS_LISTENER_FD"
        message = f"{named}: cannot listen: {error}"
        raise CannotRun(message, EXIT_ADDRESS) from error


def service_rng(service: ServiceSettings) -> random.Random:
    """Derive the random stream of one process; another incarnation draws other numbers."""
    return random.Random(f"{service.seed}:{service.name}:{service.incarnation}")


def open_event_log(service: ServiceSettings, *, clock: Clock) -> EventLog:
    """Open the record of one process, `<name>.<incarnation>.ndjson` in its event folder."""
    file = None
    if service.event_dir is not None:
        file = EventFile(service.event_dir / f"{service.name}.{service.incarnation}.ndjson")
    return EventLog(service=service.name, incarnation=service.incarnation, clock=clock, file=file)


async def _serve(
    app: ASGIApp, *, service: ServiceSettings, listener: socket.socket, log: EventLog, clock: Clock
) -> None:
    def announce(what: str) -> None:
        log.emit("process", what=what, pid=os.getpid())

    def stop() -> None:
        announce("stopping")
        log.end_views()

    server = _Server(
        _server_config(app, service),
        loop=asyncio.get_running_loop(),
        on_ready=lambda: announce("ready"),
        on_stopping=stop,
    )
    announce("started")
    try:
        async with asyncio.TaskGroup() as group:
            tickers = [
                group.create_task(tick_clock(log, clock=clock)),
                group.create_task(watch_lag(log, clock=clock)),
            ]
            await server.serve(sockets=[listener])
            for ticker in tickers:
                ticker.cancel()
    finally:
        announce("stopped")


def _server_config(app: ASGIApp, service: ServiceSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(service.shutdown_grace_s),
        lifespan="on",
        loop="asyncio",
        log_config=None,  # logs are ours, see shadow_atlas.logs
        access_log=False,  # request events say more
        server_header=False,
        proxy_headers=False,  # the chaos endpoints trust the peer's address, so it must be real
    )


class _Server(uvicorn.Server):
    """Stop in our order and with our exit code.

    uvicorn would raise the signal again after its shutdown, which ends the process by signal, and
    it has no hook that runs before it waits for its connections.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        loop: asyncio.AbstractEventLoop,
        on_ready: Callable[[], None],
        on_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._loop = loop
        self._on_ready = on_ready
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for answers in flight, but not for clients that have stopped reading."""
        async with asyncio.TaskGroup() as group:
            dropping = group.create_task(self._drop_stalled())
            await self._let_clients_leave()
            await super().shutdown(sockets=sockets)
            dropping.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second SIGINT stops without waiting."""
        del frame
        self.force_exit = self.should_exit and sig == signal.SIGINT
        # A signal handler interrupts any statement, the numbering of an event included.
        self._loop.call_soon_threadsafe(self._begin_to_stop)

    async def _let_clients_leave(self) -> None:
        """Accept nobody, and tell with each answer that no other follows on its connection.

        uvicorn would close idle connections at once. A request that is under way on one of them
        is then reset, and its client cannot know whether it was carried out.
        """
        for server in self.servers:
            server.close()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        for _ in range(round(LEAVING_S / LOOK_S)):
            if self.force_exit or not state.connections:
                break
            await asyncio.sleep(LOOK_S)

    async def _drop_stalled(self) -> None:
        """Abort each connection that took none of its waiting bytes for a whole second."""
        waiting: dict[Any, int] = {}
        while True:
            for connection, size_bytes in waiting.items():
                if connection.transport.get_write_buffer_size() == size_bytes > 0:
                    connection.transport.abort()
            waiting = {
                connection: connection.transport.get_write_buffer_size()
                for connection in self.server_state.connections
            }
            await asyncio.sleep(STALL_S)

    def _begin_to_stop(self) -> None:
        if not self.should_exit:
            self._on_stopping()
            self.should_exit = True
