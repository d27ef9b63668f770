"""Follow one request from its first byte to the end of its answer.

`RecordCalls` gives every answer its call id and source, turns errors into short JSON without
a stack trace, and records one `request` event when the answer is complete. The record is
written before the last byte is sent, so that every answer a client holds is on record, even
if the process is killed in the next instant.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shadow_atlas import headers
from shadow_atlas.answers import Refusal, error_response, refusal_of
from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.metrics import RequestCounter

IDENTIFIER_LIMIT = 128  # characters; what is longer is no identifier but a payload


@dataclass(slots=True, kw_only=True)
class Call:
    """What is known of a request while it is answered; handlers fill in the last two.

    Attributes:
        id: Its call id, taken from the header or made here.
        client: Who asks: the client header, or else the peer's address.
        started_ns: When its head had arrived, on the monotonic clock.
        source: Where the answer came from.
        rejected_by: Which local protection refused it, if one did.
    """

    id: str
    client: str
    started_ns: int
    source: str = headers.PRIMARY_SOURCE
    rejected_by: str | None = None


def call_of(connection: HTTPConnection) -> Call:
    """Return the call that `RecordCalls` opened for this request."""
    call = connection.state.call
    if not isinstance(call, Call):
        raise TypeError(f"expected the state of RecordCalls, got {call!r}")
    return call


class RecordCalls:
    """Wrap an application; see the module.

    Args:
        app: What answers.
        sink: Takes the `request` events.
        requests: Counts the requests for Prometheus.
        clock: Dates the start of each call.
        rng: Draws call ids for requests that bring none.
        body_limit_bytes: Largest request body that reaches the application.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        sink: EventSink,
        requests: RequestCounter,
        clock: Clock,
        rng: random.Random,
        body_limit_bytes: int,
    ) -> None:
        self._app = app
        self._sink = sink
        self._requests = requests
        self._clock = clock
        self._rng = rng
        self._body_limit_bytes = body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection; anything but HTTP passes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = self._open(scope)
        answer = _Answer(send, call=call, on_complete=partial(self._record, scope, call))
        limited = _LimitedBody(receive, limit_bytes=self._body_limit_bytes)
        try:
            await self._respond(scope, limited, answer)
        finally:
            answer.end()

    async def _respond(self, scope: Scope, body: "_LimitedBody", answer: "_Answer") -> None:
        call: Call = scope["state"]["call"]
        try:
            body.check_declared(Headers(scope=scope))
            await self._app(scope, body, answer)
        except Exception as error:
            if answer.status is not None:
                raise  # half an answer is out: only a broken connection tells the client
            refusal = refusal_of(error)
            _log(error, refusal, call_id=call.id)
            call.rejected_by = refusal.rejected_by
            await error_response(refusal)(scope, body, answer)

    def _open(self, scope: Scope) -> Call:
        incoming = Headers(scope=scope)
        peer = scope.get("client")
        call = Call(
            id=_identifier(incoming.get(headers.CALL_ID)) or f"{self._rng.getrandbits(64):016x}",
            client=_identifier(incoming.get(headers.CLIENT_ID)) or (peer[0] if peer else "unknown"),
            started_ns=self._clock.monotonic_ns(),
        )
        scope.setdefault("state", {})["call"] = call
        return call

    def _record(self, scope: Scope, call: Call, status: int | None) -> None:
        self._requests.count(
            scope["path"], status=status, source=call.source, rejected_by=call.rejected_by
        )
        self._sink.emit(
            "request",
            call_id=call.id,
            method=scope["method"],
            path=scope["path"],
            status=status,
            source=call.source,
            rejected_by=call.rejected_by,
            client=call.client,
            started_ns=call.started_ns,
        )


class _Answer:
    """Send an answer with the headers of its call, and say once when it is complete."""

    def __init__(
        self, send: Send, *, call: Call, on_complete: Callable[[int | None], None]
    ) -> None:
        self.status: int | None = None
        self._send = send
        self._call = call
        self._on_complete = on_complete
        self._is_ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._add_headers(MutableHeaders(scope=message))
            self.status = message["status"]
        elif not message.get("more_body", False):
            self.end()
        await self._send(message)

    def end(self) -> None:
        """Report the end; later calls are of no effect."""
        if not self._is_ended:
            self._is_ended = True
            self._on_complete(self.status)

    def _add_headers(self, outgoing: MutableHeaders) -> None:
        outgoing[headers.CALL_ID] = self._call.id
        outgoing[headers.SOURCE] = self._call.source
        if self._call.rejected_by is not None:
            outgoing[headers.REJECTED_BY] = self._call.rejected_by


class _LimitedBody:
    """Receive a request body and refuse it once it is larger than allowed."""

    def __init__(self, receive: Receive, *, limit_bytes: int) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._seen_bytes = 0

    def check_declared(self, incoming: Headers) -> None:
        declared = incoming.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._limit_bytes:
            raise self._refusal()

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen_bytes += len(message.get("body", b""))
            if self._seen_bytes > self._limit_bytes:
                raise self._refusal()
        return message

    def _refusal(self) -> Refusal:
        return Refusal(
            status=413,
            code="BODY_TOO_LARGE",
            message=f"the request body is larger than {self._limit_bytes} bytes",
        )


def _log(error: Exception, refusal: Refusal, *, call_id: str) -> None:
    """Write down what went wrong on our side; the client is told nothing of it."""
    if refusal is not error and refusal.code == "INTERNAL_ERROR":
        structlog.get_logger().exception("unhandled error", call_id=call_id)
    elif refusal.status >= 500:  # noqa: PLR2004 -- foreseen: the cause in one line is enough
        cause = error.__cause__ or error
        structlog.get_logger().warning(refusal.message, call_id=call_id, cause=repr(cause))


def _identifier(text: str | None) -> str | None:
    """Accept a short printable identifier; anything else is as good as none."""
    if text is None or not 0 < len(text) <= IDENTIFIER_LIMIT:
        return None
    return text if text.isascii() and text.isprintable() else None
