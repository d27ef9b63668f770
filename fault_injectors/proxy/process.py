"""Run the proxy as a process: start, say that it is ready, serve, end without a trace."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import Any

from fault_injectors.proxy.answers import ApiError
from fault_injectors.proxy.api import Api
from fault_injectors.proxy.event_log import EventLog
from fault_injectors.proxy.evidence import Evidence
from fault_injectors.proxy.http_server import HttpServer
from fault_injectors.proxy.live_proxy import Surroundings
from fault_injectors.proxy.proxy_bodies import read_populate
from fault_injectors.proxy.registry import Registry
from fault_injectors.proxy.settings import Settings
from harness.clock import SystemClock


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    The ready line, one JSON object with `port`, `pid` and `seed`, goes to stdout and to the ready
    file when the control API answers.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, ended.set)
    loop.set_exception_handler(LoggedOnce())
    clock = SystemClock()
    log = EventLog(
        settings.event_path,
        service=settings.service,
        incarnation=settings.incarnation,
        clock=clock,
    )
    log.start()
    log.emit("process", what="started", pid=os.getpid())
    evidence = Evidence(log, clock)
    around = Surroundings(
        seed=settings.seed,
        clock=clock,
        evidence=evidence,
        beyond_loopback=settings.beyond_loopback,
    )
    registry = Registry(around)
    server = HttpServer(Api(registry, seed=settings.seed))
    try:
        port = await _started(server, registry, settings)
    except CannotStart as error:
        _say(2, str(error))
        log.close()
        return 1
    _announce(settings, port)
    log.emit("process", what="ready", pid=os.getpid())
    await ended.wait()
    log.emit("process", what="stopping", pid=os.getpid())
    registry.stop()
    await server.stop()
    evidence.close()
    log.emit("process", what="stopped", pid=os.getpid())
    log.close()
    return 0


class CannotStart(Exception):
    """The proxy cannot serve; the text says why."""


async def _started(server: HttpServer, registry: Registry, settings: Settings) -> int:
    """Create the configured proxies, listen, and return the port of the control API."""
    if settings.config is not None:
        try:
            registry.populate(read_populate(settings.config.read_bytes()), [])
        except OSError as error:
            raise CannotStart(f"cannot read {settings.config}: {error.strerror}") from error
        except ApiError as error:
            raise CannotStart(f"{settings.config}: {error.text}") from error
    try:
        return await server.start(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise CannotStart(f"cannot listen on {where}: {error.strerror}") from error


class LoggedOnce:
    """Report each kind of trouble in the loop once; out of files, asyncio reports each attempt."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Write one line to stderr unless the like was written before."""
        text = f"{context.get('message', '')}: {context.get('exception')!r}"
        if text not in self._seen and len(self._seen) < 100:  # noqa: PLR2004 - a bound on the memory
            self._seen.add(text)
            _say(2, text)
        if loop.get_debug():
            loop.default_exception_handler(context)


def _announce(settings: Settings, port: int) -> None:
    line = json.dumps({"port": port, "pid": os.getpid(), "seed": settings.seed})
    if settings.ready_file is not None:
        draft = settings.ready_file.with_name(settings.ready_file.name + ".part")
        draft.write_text(line + "\n", encoding="utf-8")
        draft.replace(settings.ready_file)
    _say(1, line)


def _say(descriptor: int, text: str) -> None:
    """Write one line, unbuffered; whoever started us may have closed the other end."""
    with suppress(OSError):
        os.write(descriptor, text.encode() + b"\n")
