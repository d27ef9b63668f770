"""A client service without any protection: each request asks `back` and passes the answer on."""

import http.client
import http.server
import os
import signal
import threading

PATIENCE_S = 1.0


class Handler(http.server.BaseHTTPRequestHandler):
    """`/ask` asks the upstream, `/alone` does not, `/ready` says that we are there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = self._ask() if self.path == "/ask" else (200, b"here")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-atlas-source", "primary")
        self.end_headers()
        self.wfile.write(body)

    def _ask(self):
        connection = http.client.HTTPConnection(
            os.environ["ATLAS_BACK_ADDRESS"], timeout=PATIENCE_S
        )
        try:
            connection.request("GET", "/")
            return 200, connection.getresponse().read()
        except OSError as error:
            return 502, repr(error).encode()
        finally:
            connection.close()

    def log_message(self, *_):
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


def main():
    server = Server(("127.0.0.1", int(os.environ["ATLAS_PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
