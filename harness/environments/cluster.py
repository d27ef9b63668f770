"""A fresh PostgreSQL cluster for one run: a copy of one that was made once on this machine.

`initdb` takes 0.6 s of a processor, in each run, when all services start at the same time, and
`CREATE DATABASE` 0.2 s more; a copy takes 0.1 s. The first one is kept in the user's cache folder,
for each installation and database its own.
"""

import asyncio
import hashlib
import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harness.environments import child
from harness.environments.postgres import USER, Installation, server_user
from harness.model.errors import HarnessError

_OPTIONS = ("-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync", "--no-locale")
_WITHIN_S = 60.0  # 0.4 s on an idle machine


async def make_cluster(
    installation: Installation, data: Path, database: str, environment: Mapping[str, str]
) -> None:
    """Make a cluster in `data` that trusts loopback and is owned by the server's user.

    Args:
        installation: The programs.
        data: Folder to make.
        database: Name of a database in it; from a system file, where it is an identifier.
        environment: Of the programs; tells the user's cache folder.

    Raises:
        HarnessError: If one of the programs fails, with the end of what it said.
    """
    making = _Making(installation, data, environment)
    kept = making.place_kept(database)
    if kept.is_dir():
        await making.copy(kept, data)
        return
    await making.initdb()
    if database != "postgres":  # that one is there from the start
        await making.create_database(database)
    with suppress(OSError, HarnessError):  # nothing is kept where nothing can be written
        await making.keep(kept)


class _Making:
    """The making of a cluster, by PostgreSQL's own programs or as a copy of one that is kept."""

    def __init__(
        self, installation: Installation, data: Path, environment: Mapping[str, str]
    ) -> None:
        self._folder = installation.folder
        self._data = data
        self._environment = environment
        self._log = data.parent / "cluster.log"

    def place_kept(self, database: str) -> Path:
        """Return where the cluster of the installation is kept; another one has another folder."""
        program = (self._folder / "postgres").resolve()
        facts = (program, program.stat().st_mtime_ns, server_user(), database, *_OPTIONS)
        name = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
        cache = self._environment.get("XDG_CACHE_HOME")
        home = cache or Path(self._environment.get("HOME", "/nonexistent"), ".cache")
        return Path(home, "atlas-chaos", f"postgresql-{name}")

    async def initdb(self) -> None:
        """Make the folder as initdb wants it, and fill it."""
        self._data.mkdir(mode=0o700)
        user = server_user()
        if user is not None:
            shutil.chown(self._data, user, pwd.getpwnam(user).pw_gid)
        await self._run_as_server("initdb", "-D", str(self._data), *_OPTIONS)

    async def create_database(self, database: str) -> None:
        """Create a database without a server that listens: PostgreSQL for a single user."""
        statement = self._data.parent / "create.sql"
        statement.write_text(f'CREATE DATABASE "{database}"\n', encoding="utf-8")
        single = ("postgres", "--single", "-c", "exit_on_error=true", "-D", str(self._data))
        await self._run_as_server(*single, "template1", reads=statement)

    async def keep(self, kept: Path) -> None:
        """Keep a copy; of two runs that are the first at the same time, one wins."""
        kept.parent.mkdir(parents=True, exist_ok=True)
        for left in kept.parent.glob(f"{kept.name}.*"):  # by a run that was killed as it copied
            shutil.rmtree(left, ignore_errors=True)
        fresh = kept.with_name(f"{kept.name}.{os.getpid()}-{self._data.parent.name}")
        try:
            await self.copy(self._data, fresh)
            fresh.rename(kept)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    async def copy(self, source: Path, target: Path) -> None:
        """Copy a cluster with its owner and its modes.

        A program does it: for a thread of ours, each of a thousand files would wait for the
        interpreter, 2 s in all beside a busy loop.
        """
        await self._run(["cp", "-Rp", str(source), str(target)])

    async def _run_as_server(
        self, program: str, *arguments: str, reads: Path | None = None
    ) -> None:
        await self._run([str(self._folder / program), *arguments], user=server_user(), reads=reads)

    async def _run(
        self, argv: Sequence[str], *, user: str | None = None, reads: Path | None = None
    ) -> None:
        command = child.Command(
            argv=argv,
            environment=self._environment,
            log=self._log,
            user=user,
            cwd=self._data if user else None,
            reads=reads or Path(os.devnull),
        )
        process = await child.spawn(command)
        try:
            async with asyncio.timeout(_WITHIN_S):
                code = await process.wait()
        except TimeoutError as error:
            await child.kill(process)
            raise HarnessError(f"{argv[0]} did not end within {_WITHIN_S} s") from error
        if code != 0:
            raise HarnessError(f"{argv[0]} failed with code {code}:\n{child.tail(self._log)}")
