"""Knows a name, and tells it to whoever asks: `GET /name`."""

import http.server
import os
import signal
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every path with the same name."""

    def do_GET(self) -> None:
        """Tell the name."""
        body = b"Ada"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
        """Say nothing: one line for each request would hide what matters."""


def main() -> None:
    """Listen where ATLAS_PORT says, until SIGTERM."""
    port = int(os.environ["ATLAS_PORT"])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
