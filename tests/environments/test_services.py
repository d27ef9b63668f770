"""Services start, say when they are ready, and say why when they are not."""

import asyncio
import struct
import sys
from pathlib import Path

import pytest

from harness.environments import child, postgres
from harness.model.errors import HarnessError, ServiceNotReady
from harness.model.system import Service
from tests.environments.conftest import database, tiny

pytestmark = pytest.mark.slow


async def execute(session: postgres.Session, query: str) -> None:
    """Run one statement over the simple query protocol."""
    text = query.encode() + b"\0"
    session.writer.write(b"Q" + struct.pack("!i", len(text) + 4) + text)
    await session.until_ready()


def failing(code: str, **more) -> Service:
    return Service(name="bad", command=(sys.executable, "-c", code), ready_path="/ok", **more)


def start_error(surroundings, service: Service) -> str:
    async def run():
        async with surroundings(service, start=False) as made:
            with pytest.raises((ServiceNotReady, HarnessError)) as caught:
                await made.services[service.name].start()
            return str(caught.value)

    return asyncio.run(run())


def test_a_service_that_dies_at_start_is_shown_with_the_end_of_its_log(surroundings):
    text = start_error(surroundings, failing("print('no such table: x'); raise SystemExit(3)"))

    assert "service 'bad' ended while it started" in text
    assert "no such table: x" in text


def test_a_service_that_never_answers_is_shown_with_what_was_asked(surroundings):
    code = "import time; print('thinking', flush=True); time.sleep(60)"
    text = start_error(surroundings, failing(code, ready_within_s=0.5))

    assert "service 'bad' was not ready within 0.5 s (nothing listens on port" in text
    assert "thinking" in text


def test_a_program_that_does_not_exist_is_named(surroundings):
    service = Service(name="bad", command=("/no/such/program",), ready_path="/ok")

    assert "cannot start '/no/such/program'" in start_error(surroundings, service)


def test_a_failing_preparation_is_shown_with_its_command(surroundings):
    async def run():
        async with surroundings(tiny("a")) as made:
            with pytest.raises(ServiceNotReady, match=r"-c print\('oops'\).*ended with code 1"):
                await made.services["a"].run_once(
                    ("python", "-c", "print('oops');raise SystemExit(1)")
                )

    asyncio.run(run())


def test_a_preparation_ends_with_the_start_that_was_cancelled(surroundings, tmp_path):
    told = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(told)!r}).write_text(str(os.getpid()))"

    async def run():
        async with surroundings(tiny("a")) as made:
            prepare = ("python", "-c", f"{code}; time.sleep(60)")
            start = asyncio.create_task(made.services["a"].run_once(prepare))
            async with asyncio.timeout(20):
                while not (told.exists() and told.read_text()):  # noqa: ASYNC110 -- of a process
                    await asyncio.sleep(0.01)
            start.cancel()
            await asyncio.gather(start, return_exceptions=True)

            assert child.state_of(int(told.read_text())) == "gone"

    asyncio.run(run())


def test_postgresql_starts_stops_and_keeps_what_was_committed_through_a_kill(surroundings):
    async def run():
        async with surroundings(database("db")) as made:
            db = made.services["db"]
            session = await postgres.connect(db.port, "atlas", within_s=5.0)
            await execute(session, "CREATE TABLE kept (x int); INSERT INTO kept VALUES (1)")
            session.close()
            async with made.processes().kill("db"):
                assert db.pids() == []
            session = await postgres.connect(db.port, "atlas", within_s=5.0)
            with pytest.raises(ServiceNotReady, match="division by zero"):
                await execute(session, "SELECT 1/(count(*)-1) FROM kept")
            session.close()

    asyncio.run(run())


def test_a_frozen_postgresql_answers_nobody_and_goes_on_afterwards(surroundings):
    async def run():
        async with surroundings(database("db")) as made:
            db = made.services["db"]
            session = await postgres.connect(db.port, "atlas", within_s=5.0)
            async with made.processes().pause("db"):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.3):
                        await execute(session, "SELECT 1")
            session.close()
            session = await postgres.connect(db.port, "atlas", within_s=5.0)
            await execute(session, "SELECT 1")
            session.close()

    asyncio.run(run())


def test_postgresql_that_cannot_start_is_shown_with_its_words(surroundings, monkeypatch):
    def broken(*arguments):
        return [*original(*arguments), "-c", "no_such_setting=1"]

    original = postgres.server_argv
    monkeypatch.setattr(postgres, "server_argv", broken)

    text = start_error(surroundings, database("db"))

    assert "service 'db' ended while it started" in text
    assert "no_such_setting" in text


def test_an_installation_that_the_server_user_cannot_enter_is_copied(tmp_path, monkeypatch):
    home = tmp_path / "home"
    binaries = home / "pginstall18" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "postgres").write_text("#!/bin/sh\n")
    home.chmod(0o700)
    monkeypatch.setattr(postgres, "server_user", lambda: "nobody")
    monkeypatch.setattr(postgres, "gettempdir", lambda: str(tmp_path / "elsewhere"))
    Path(tmp_path / "elsewhere").mkdir()

    folder = postgres._enterable(binaries)

    assert folder.is_relative_to(tmp_path / "elsewhere")
    assert (folder / "postgres").exists()
    assert home.stat().st_mode & 0o777 == 0o700
