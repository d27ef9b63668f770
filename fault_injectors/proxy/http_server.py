"""Speak HTTP/1.1 on the control port: enough for API clients, bounded in every direction."""

import asyncio

import httptools

from fault_injectors.proxy.answers import STATUS_TEXTS, Answer, plain
from fault_injectors.proxy.api import Api, Request

BODY_BYTES_MAX = 1024 * 1024  # a populate body of thousands of proxies fits
AHEAD_MAX = 16  # requests that a client may send ahead of the answers
IDLE_S = 60.0  # as the vendor's server


class HttpConnection(asyncio.Protocol):
    """Parse requests of one client and answer them in order."""

    def __init__(self, api: Api, open_connections: set["HttpConnection"]) -> None:
        self._api = api
        self._open = open_connections
        self._parser = httptools.HttpRequestParser(self)
        self._complete: list[tuple[Request, bool]] = []
        self._idle: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream protocol gets no other
        self._transport = transport
        self._open.add(self)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        """Parse and answer; what is no HTTP is answered with 400 and the end of the connection."""
        refusal: Answer | None = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            refusal = Answer(status=400)
        except httptools.HttpParserError:
            refusal = plain(400, b"400 Bad Request")
        self._answer_complete()
        if refusal is not None:
            self._send(refusal, keeps_alive=False)

    def pause_writing(self) -> None:
        """Take no more requests from a client that does not read its answers."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on taking requests."""
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - gone is gone
        """Forget the client."""
        self._open.discard(self)
        self._transport = None
        if self._idle is not None:
            self._idle.cancel()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def on_message_begin(self) -> None:
        """Forget the request before; called by the parser."""
        self._target, self._headers, self._body = b"", {}, bytearray()

    def on_url(self, url: bytes) -> None:
        """Collect the target, which may come in parts; called by the parser."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; called by the parser."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Ask for the body if the client waits to be asked; called by the parser."""
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body; called by the parser."""
        if len(self._body) + len(body) > BODY_BYTES_MAX:
            self._send(plain(413, b"body too large\n"), keeps_alive=False)
            return
        self._body += body

    def on_message_complete(self) -> None:
        """Note a whole request; called by the parser, which must not see errors of handlers."""
        request = Request(
            method=self._parser.get_method().decode("latin-1"),
            target=self._target.decode("latin-1"),
            headers=self._headers,
            body=bytes(self._body),
        )
        self._complete.append((request, self._parser.should_keep_alive()))

    def _answer_complete(self) -> None:
        complete, self._complete = self._complete, []
        for request, keeps_alive in complete[:AHEAD_MAX]:
            if self._transport is not None and not self._transport.is_closing():
                self._send(self._api.answer(request), keeps_alive=keeps_alive)
        if len(complete) > AHEAD_MAX:
            self.close()
        self._wait_for_request()

    def _send(self, answer: Answer, *, keeps_alive: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(_encode(answer, keeps_alive=keeps_alive))
        if not keeps_alive:
            self._transport.close()

    def _wait_for_request(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._transport is not None:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.close)


class HttpServer:
    """Listen for control connections.

    Args:
        api: Answers the requests.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._server: asyncio.Server | None = None
        self._open: set[HttpConnection] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port, which the system chooses if `port` is 0.

        Raises:
            OSError: If the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and close every control connection."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._open):
            connection.close()
        await asyncio.sleep(0)  # lets the transports report that they are closed

    def _connection(self) -> HttpConnection:
        return HttpConnection(self._api, self._open)


def _encode(answer: Answer, *, keeps_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {STATUS_TEXTS[answer.status]}"]
    if answer.content_type is not None:
        lines.append(f"Content-Type: {answer.content_type}")
    lines.extend(f"{name}: {value}" for name, value in answer.headers)
    if answer.status != 204:  # noqa: PLR2004 - the one status that has no body by definition
        lines.append(f"Content-Length: {len(answer.body)}")
    if not keeps_alive:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + answer.body
