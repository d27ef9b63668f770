"""Greets people: `GET /greeting` asks the service `names` for a name and says hello.

While `names` does not answer, it greets with the last name that it heard. That is its promise, and
the scenario beside it tests it. With REMEMBER=no it forgets names, and the promise is broken.
"""

import http.client
import http.server
import os
import signal
import threading
import time

PATIENCE_S = 0.3  # `names` answers within milliseconds; whoever waits for us is not kept longer


class LastName:
    """The last name that was heard, and when."""

    def __init__(self) -> None:
        self.name = ""
        self.heard_s = 0.0

    def hear(self, name: str, now_s: float) -> None:
        """Remember a name."""
        self.name, self.heard_s = name, now_s


LAST = LastName()


class Handler(http.server.BaseHTTPRequestHandler):
    """`/greeting` greets; every other path says that we are there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request."""
        if self.path == "/greeting":
            self.greet()
        else:
            self.answer(200, "here", {})

    def greet(self) -> None:
        """Greet with a fresh name, with the last one, or not at all."""
        now_s = time.monotonic()  # noqa: TID251 -- this file is copied and stands alone
        try:
            name = ask_for_name()
        except (OSError, http.client.HTTPException) as error:
            if not LAST.name or os.environ.get("REMEMBER") == "no":
                self.answer(503, f"no name: {error!r}", {})
                return
            # The harness reads from these two headers where an answer comes from. They are
            # optional: without them only the checks `fallback` and `answer_source` know nothing.
            age = f"{now_s - LAST.heard_s:.3f}"
            headers = {"x-atlas-source": "stale_cache", "x-atlas-age-s": age}
            self.answer(200, f"Hello again, {LAST.name}!", headers)
            return
        LAST.hear(name, now_s)
        self.answer(200, f"Hello, {name}!", {"x-atlas-source": "primary"})

    def answer(self, status: int, text: str, headers: dict[str, str]) -> None:
        """Send an answer."""
        body = text.encode()
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
        """Say nothing: one line for each request would hide what matters."""


def ask_for_name() -> str:
    """Return a name from `names`, whose address the harness gives us: it is its fault proxy."""
    connection = http.client.HTTPConnection(os.environ["NAMES_ADDRESS"], timeout=PATIENCE_S)
    try:
        connection.request("GET", "/name")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


class Server(http.server.ThreadingHTTPServer):
    """A server that keeps a burst of connections waiting instead of refusing it."""

    request_queue_size = 128
    daemon_threads = True


def main() -> None:
    """Listen where ATLAS_PORT says, until SIGTERM."""
    server = Server(("127.0.0.1", int(os.environ["ATLAS_PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
