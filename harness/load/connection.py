"""Exchange one request for one answer on a connection, and say how it was cut off if it was.

The parser knows nothing of requests, so this module does: interim answers are no answers, an
answer without a length ends with the connection, and bytes that nobody asked for end it.
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

import httptools

_LAST_INTERIM_STATUS = 199
_NO_BODY = (204, 304)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer.

    Args:
        status: HTTP status, 200 or higher.
        headers: By lower-case name; of repeated ones the last.
        size_bytes: Bytes of the body, without chunk framing.
        is_reusable: Whether the connection may carry another request.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    size_bytes: int = 0
    is_reusable: bool = False


class Cut(StrEnum):
    """How an exchange ended without an answer, after its request was sent."""

    BEFORE_ANSWER = "cut_before_answer"
    TRUNCATED = "truncated"
    GARBLED = "garbled"


class ExchangeCut(Exception):
    """The connection ended or made no sense before the answer was complete."""

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        super().__init__(cut.value)


class _Exchange:
    """The state of one request: httptools calls the `on_` methods; a new parser for each."""

    def __init__(self, waiter: asyncio.Future[Answer]) -> None:
        self.waiter = waiter
        self.is_complete = False
        self.is_begun = False
        self._is_reusable = False
        self._is_head_complete = False
        self._headers: dict[str, str] = {}
        self._status = 0
        self._size_bytes = 0
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.is_begun = True
        if self.is_complete:  # a second answer in the same buffer: whoever sent it is confused
            self._is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.is_complete:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        self._is_head_complete = self._parser.get_status_code() > _LAST_INTERIM_STATUS

    def on_body(self, body: bytes) -> None:
        if not self.is_complete:
            self._size_bytes += len(body)

    def on_message_complete(self) -> None:
        if self.is_complete:
            return
        if self._parser.get_status_code() <= _LAST_INTERIM_STATUS:
            self._headers.clear()
            self.is_begun = False
            return
        self._status = self._parser.get_status_code()
        self._is_reusable = self._parser.should_keep_alive()
        self.is_complete = True

    def ends_with_connection(self) -> bool:
        """Complete an answer that has no length of its own; False if this is none."""
        is_framed = (
            "content-length" in self._headers
            or "chunked" in self._headers.get("transfer-encoding", "").lower()
        )
        if not self._is_head_complete or is_framed or self.is_complete:
            return False
        self._status = self._parser.get_status_code()
        self.is_complete = True
        return True

    def answer(self) -> Answer:
        return Answer(
            status=self._status,
            headers=self._headers,
            size_bytes=self._size_bytes,
            is_reusable=self._is_reusable,
        )


class Connection(asyncio.Protocol):
    """One connection with at most one request in flight; made by `loop.create_connection`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._exchange: _Exchange | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def is_open(self) -> bool:
        """Say whether neither side is known to have ended it."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Say whether it is open and no request is in flight."""
        return self.is_open and self._exchange is None

    def exchange(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request now; the future holds the answer or `ExchangeCut`.

        Whoever stops waiting has to `abort`: the answer would meet the next request.

        Raises:
            ConnectionResetError: If it is not open any more; nothing was sent.
        """
        if not self.is_open or self._transport is None:
            raise ConnectionResetError("closed before the request was sent")
        if self._exchange is not None:
            raise RuntimeError("a request is in flight on this connection")
        self._exchange = _Exchange(self._loop.create_future())
        self._transport.write(request)
        return self._exchange.waiter

    def abort(self) -> None:
        """End the connection at once; nothing that comes later is read."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- the loop's own contract
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Feed the answer; what comes without a request in flight ends the connection."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        is_garbled = False
        try:
            exchange.feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            is_garbled = True
        if exchange.is_complete:
            self._deliver(exchange, is_sound=not is_garbled)
        elif is_garbled:
            self._fail(Cut.GARBLED)

    def eof_received(self) -> None:
        """Complete an answer that ends with the connection; fail any other in flight."""
        exchange = self._exchange
        if exchange is None:
            return
        if exchange.ends_with_connection():
            self._deliver(exchange, is_sound=False)
        else:
            self._cut(exchange)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- FIN or RST: no matter
        """Fail the exchange in flight: without an end of file before, nothing is complete."""
        if self._exchange is not None:
            self._cut(self._exchange)

    def _deliver(self, exchange: _Exchange, *, is_sound: bool) -> None:
        self._exchange = None
        answer = exchange.answer()
        if not (is_sound and answer.is_reusable):
            self.abort()
        if not exchange.waiter.done():
            exchange.waiter.set_result(answer)

    def _cut(self, exchange: _Exchange) -> None:
        self._fail(Cut.TRUNCATED if exchange.is_begun else Cut.BEFORE_ANSWER)

    def _fail(self, cut: Cut) -> None:
        exchange, self._exchange = self._exchange, None
        self.abort()
        if exchange is not None and not exchange.waiter.done():
            exchange.waiter.set_exception(ExchangeCut(cut))
