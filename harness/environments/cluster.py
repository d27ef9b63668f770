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
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from harness.environments import child
from harness.environments.postgres import USER, Installation, server_user
from harness.model.errors import HarnessError

_OPTIONS = ("-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync", "--no-locale")
_NOTHING = Path(os.devnull)
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
    kept = _kept_cluster(installation, database, environment)
    if kept.is_dir():
        await asyncio.to_thread(_copy, kept, data)
        return
    making = _Making(installation, data, environment)
    await making.initdb()
    if database != "postgres":  # that one is there from the start
        await making.create_database(database)
    with suppress(OSError):  # nothing is kept where nothing can be written
        await asyncio.to_thread(_keep, data, kept)


def _kept_cluster(
    installation: Installation, database: str, environment: Mapping[str, str]
) -> Path:
    """Return where the cluster of an installation is kept; another one has another folder."""
    program = (installation.folder / "postgres").resolve()
    facts = (program, program.stat().st_mtime_ns, server_user(), database, *_OPTIONS)
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    home = environment.get("XDG_CACHE_HOME") or Path(
        environment.get("HOME", "/nonexistent"), ".cache"
    )
    return Path(home, "atlas-chaos", f"postgresql-{name}")


def _keep(data: Path, kept: Path) -> None:
    """Keep a copy; of two runs that are the first at the same time, one wins."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    for left in kept.parent.glob(f"{kept.name}.*"):  # by a run that was killed while it copied
        shutil.rmtree(left, ignore_errors=True)
    fresh = kept.with_name(f"{kept.name}.{os.getpid()}-{data.parent.name}")
    try:
        _copy(data, fresh)
        fresh.rename(kept)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    target.chmod(0o700)
    for path in (target, *target.rglob("*")):
        _give_to_server(path)


def _give_to_server(path: Path) -> None:
    user = server_user()
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


class _Making:
    """The making of a cluster by PostgreSQL's own programs."""

    def __init__(
        self, installation: Installation, data: Path, environment: Mapping[str, str]
    ) -> None:
        self._folder = installation.folder
        self._data = data
        self._environment = environment
        self._log = data.parent / "initdb.log"

    async def initdb(self) -> None:
        """Make the folder as initdb wants it, and fill it."""
        self._data.mkdir(mode=0o700)
        _give_to_server(self._data)
        await self._run("initdb", "-D", str(self._data), *_OPTIONS)

    async def create_database(self, database: str) -> None:
        """Create a database without a server that listens: PostgreSQL for a single user."""
        statement = self._data.parent / "create.sql"
        statement.write_text(f'CREATE DATABASE "{database}"\n', encoding="utf-8")
        await self._run("postgres", "--single", "-D", str(self._data), "template1", reads=statement)

    async def _run(self, program: str, *arguments: str, reads: Path = _NOTHING) -> None:
        process = await child.spawn(
            child.Command(
                argv=[str(self._folder / program), *arguments],
                environment=self._environment,
                log=self._log,
                user=server_user(),
                cwd=self._data,
                reads=reads,
            )
        )
        try:
            async with asyncio.timeout(_WITHIN_S):
                code = await process.wait()
        except TimeoutError as error:
            await child.kill(process)
            raise HarnessError(f"{program} did not end within {_WITHIN_S} s") from error
        if code != 0:
            raise HarnessError(f"{program} failed with code {code}:\n{child.tail(self._log)}")
