"""A service without dependencies: answers 200, can open files, take memory and burn time."""

import http.server
import os
import signal
import sys
import threading
from io import FileIO
from time import perf_counter, thread_time  # noqa: TID251 -- measured under pressure, inside

HOARD = []


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer `/ok`, open `/files/N`, take `/memory/N` bytes, send `/bytes/N`, burn `/spin/MS`."""

    def do_GET(self):
        try:
            body = self._act().encode()
            self.send_response(200)
        except (OSError, MemoryError) as error:
            body = repr(error).encode()
            self.send_response(500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _act(self):
        _, what, *count = self.path.split("/")
        if what == "files":
            HOARD.extend(FileIO("/dev/null") for _ in range(int(count[0])))
        if what == "memory":
            HOARD.append(bytearray(int(count[0])))
        if what == "spin":
            started = perf_counter()
            used = thread_time()
            while thread_time() - used < int(count[0]) / 1000:
                pass
            return repr(perf_counter() - started)
        if what == "bytes":
            return "x" * int(count[0])
        if what == "forget":
            HOARD.clear()
        return str(os.getpid())

    def log_message(self, *_):
        """Say nothing: the log is for what matters."""


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["ATLAS_PORT"])), Handler)
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start()
    )
    if "deaf" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server.serve_forever()


if __name__ == "__main__":
    main()
