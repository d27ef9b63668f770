"""Call a control API through toxiproxy-python, and never wait longer than a deadline.

toxiproxy-python has no time limits, keeps its address in a class and obeys proxy variables of the
environment, so each server gets a class of its own and each call says what it needs. The blocking
call runs in a daemon thread: a thread cannot be cancelled, and the default executor would make the
event loop wait for it at the end.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from fault_injectors.toxiproxy.errors import (
    DeadlineMissed,
    ProxyExists,
    ProxyNotFound,
    ProxyRefused,
    ProxyUnreachable,
)

CONNECT_TIMEOUT_S = 1.0  # loopback answers in microseconds
NO_PROXIES = {"http": None, "https": None, "all": None}  # without "all" an ALL_PROXY still counts
GATEWAY_TIMEOUT = 503  # the vendor's server gave a handler up after 25 s, which may yet finish


class Reply(NamedTuple):
    """A successful answer: its status and its JSON value, None if it has no body."""

    status: int
    value: object


class Transport:
    """Send calls to one server.

    Args:
        host: Address of its control API.
        port: Port of its control API.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._consumer: Any = None

    async def call(
        self, method: str, path: str, *, body: object = None, deadline_s: float
    ) -> Reply:
        """Make one call; never retried, since a call without an answer may have been carried out.

        Args:
            method: `get`, `post` or `delete`.
            path: Path, its parts quoted.
            body: JSON value to send; None for no body.
            deadline_s: Bound on the whole call, seconds.

        Raises:
            DeadlineMissed: If there is no whole answer in time.
            ProxyNotFound: For 404.
            ProxyExists: For 409.
            ProxyRefused: For any other error answer.
            ProxyUnreachable: If nobody answers, or not in this protocol.
        """
        what = f"{method.upper()} http://{self.host}:{self.port}{path}"
        try:
            async with asyncio.timeout(deadline_s):
                return await _in_thread(
                    lambda: self._call(method, path, body=body, deadline_s=deadline_s)
                )
        except TimeoutError as error:
            raise DeadlineMissed(f"{what}: no answer within {deadline_s:g} s") from error
        except (ProxyRefused, ProxyNotFound, ProxyExists) as error:
            error.add_note(what)
            raise

    def _call(self, method: str, path: str, *, body: object, deadline_s: float) -> Reply:
        import requests  # noqa: PLC0415 - takes 0.15 s, which `--help` should not pay for
        from toxiproxy.exceptions import (  # noqa: PLC0415 - imports requests
            InvalidToxic,
            NotFound,
            ProxyExists as VendorProxyExists,
        )

        options: dict[str, object] = {
            "timeout": (min(CONNECT_TIMEOUT_S, deadline_s), deadline_s),
            "proxies": NO_PROXIES,
        }
        if body is not None:
            options["json"] = body
        try:
            response = getattr(self._own_consumer(), method)(path, **options)
            return _read(response.status_code, response.content)
        except NotFound as error:
            raise ProxyNotFound(_text(error.args[0])) from error
        except VendorProxyExists as error:
            raise ProxyExists(_text(error.args[0])) from error
        except InvalidToxic as error:
            raise ProxyRefused(400, _text(error.args[0])) from error
        except requests.exceptions.Timeout as error:
            raise TimeoutError(str(error)) from error
        except requests.exceptions.RequestException as error:
            if "Read timed out" in str(error):  # while reading the body it is a ConnectionError
                raise TimeoutError(str(error)) from error
            raise ProxyUnreachable(f"{self.host}:{self.port}: {error}") from error

    def _own_consumer(self) -> Any:
        from toxiproxy.api import APIConsumer  # noqa: PLC0415 - imports requests, see above

        if self._consumer is None:
            address = {"host": self.host, "port": self.port}
            self._consumer = type("OwnConsumer", (APIConsumer,), address)
        return self._consumer


def _read(status: int, content: bytes) -> Reply:
    if status == GATEWAY_TIMEOUT:
        raise TimeoutError("the server gave the call up, and may carry it out later")
    if not 200 <= status < 300:  # noqa: PLR2004 - the class of success
        raise ProxyRefused(status, _text(content))
    if not content.strip():
        return Reply(status, None)
    try:
        return Reply(status, json.loads(content))
    except ValueError as error:
        raise ProxyUnreachable(f"an answer that is no JSON: {content[:80]!r}") from error


def _text(content: bytes) -> str:
    """Return what an error answer says; its body is JSON, except where it is not."""
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return content[:200].decode("utf-8", "replace").strip()


async def _in_thread(work: Callable[[], Reply]) -> Reply:
    """Await `work` in a thread of its own, which nobody waits for if we give up."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Reply] = loop.create_future()

    def settle(reply: Reply | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        elif reply is not None:
            done.set_result(reply)

    def run() -> None:
        reply: Reply | None = None
        failure: Exception | None = None
        try:
            reply = work()
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits it
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, reply, failure)

    threading.Thread(target=run, name="toxiproxy-call", daemon=True).start()
    return await done
