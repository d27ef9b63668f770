"""Faults that only containers allow bite, heal whatever happens inside, and leave others alone."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path

import psutil
import pytest

from harness.environments import undo
from harness.model.errors import FaultNotApplied
from tests.docker.held_faults import CORES, FAULTS, HOUR_S, IN_FORCE, fault, scenario
from tests.docker.running import LOOKUP, Running, docker, left, running_system

pytestmark = [pytest.mark.slow, pytest.mark.docker]

ROOT = Path(__file__).parents[2]
DATE_WITHIN_S = 5.0  # dates are whole seconds, and renewed once a second
CLEAN_WITHIN_S = 15


class Resources(Running):
    """Look at what the faults take away, from outside."""

    def fault(self, name: str):
        return fault(self.system.capabilities, name)

    def quota_us(self, service: str) -> int:
        found = docker("inspect", "-f", "{{.HostConfig.CpuQuota}}", self.container(service))
        return int(found)

    def sql(self, statement: str) -> str:
        """Return what PostgreSQL answers, or the last line of its refusal."""
        done = subprocess.run(
            ["docker", "exec", self.container("db"), "psql", "-U", "atlas", "-tAc", statement],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return (done.stdout or done.stderr).strip()

    def free_bytes(self) -> int:
        folder = "/var/lib/postgresql/data"
        told = docker("exec", self.container("db"), "df", "-B1", "--output=avail", folder)
        return int(told.split()[1])

    def ahead_s(self, service: str) -> float:
        """Return how far the date of an answer is ahead of this host."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{self.system.address(service)}/v1/health", timeout=5) as answer:
            told = parsedate_to_datetime(answer.headers["date"])
        return told.timestamp() - time.time()  # noqa: TID251 -- the true time is asked for

    def lookups_s(self) -> tuple[float, float]:
        """Return how long 40 lookups take one after the other, and how much processor time."""
        container = self.container("api")
        pids = docker("top", container, "-eo", "pid").split()[1:]
        processes = [psutil.Process(int(pid)) for pid in pids]
        start_s, before_s = time.monotonic(), cpu_s(processes)  # noqa: TID251 -- a quota is real
        for _ in range(40):
            self.status("api", LOOKUP)
        return time.monotonic() - start_s, cpu_s(processes) - before_s  # noqa: TID251

    async def next_clock_record(self) -> tuple[float, float]:
        """Return how old the api's next clock record is, and how far its wall clock is ahead."""
        [path] = [path for name, path in self.system.event_files().items() if name == "api.1"]
        known = path.stat().st_size
        for _ in range(100):  # one is written each second
            await asyncio.sleep(0.1)
            lines = path.read_bytes()[known:].rpartition(b"\n")[0].splitlines()
            found = [one for one in map(json.loads, lines) if one["kind"] == "clock"]
            if found:
                break
        late_s = (time.monotonic_ns() - found[-1]["t_ns"]) / 1e9  # noqa: TID251
        return late_s, found[-1]["wall_unix_ns"] / 1e9 - time.time()  # noqa: TID251

    def is_whole(self) -> bool:
        """Say whether nothing is left of any of the faults."""
        return (
            self.quota_us("api") == 100_000
            and self.status("tiger") == 200
            and self.free_bytes() > 32 << 20
            and abs(self.ahead_s("api")) < DATE_WITHIN_S
        )


def cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


@pytest.fixture(scope="module")
def running(images, tmp_path_factory):  # noqa: ARG001 -- it needs them built, not named
    yield from running_system(Resources(tmp_path_factory.mktemp("resources"), scenario()))


def test_a_quota_delays_its_service_alone_and_is_granted_back(running):
    async def hit():
        async with running.fault("cpu_quota") as applied:
            times_s = await asyncio.to_thread(running.lookups_s)
            return times_s, running.quota_us("api"), running.quota_us("tiger"), applied

    (lasted_s, used_s), quota_us, others_us, applied = running.run(hit())

    # Its share, and what it may overdraw for a moment; without a quota it would use 80 ms and more.
    assert used_s < CORES * lasted_s + 0.02
    assert (quota_us, others_us) == (1_000, 100_000)
    assert applied.effects > 0
    assert running.quota_us("api") == 100_000
    running.wait_until_primary()  # lookups that took too long have opened its circuit


def test_a_quota_that_grants_no_less_is_refused(running):
    async def hit():
        async with running.system.capabilities.limits.cpu_quota("api", 2.0):
            pass

    with pytest.raises(FaultNotApplied, match="granted 1 processors: choose less"):
        running.run(hit())

    assert running.quota_us("api") == 100_000


@pytest.mark.parametrize("service", ["tiger", "db"])
def test_the_kernel_kills_the_service_that_it_shall_and_no_other(running, service):
    running.wait_until_primary()
    before = running.statuses()
    running.records.clear()

    async def hit():
        async with running.system.capabilities.limits.oom_kill(service) as applied:
            container = running.container(service)
            killed = docker("inspect", "-f", "{{.State.OOMKilled}}", container).strip()
            return running.statuses(), killed, running.status("api"), applied

    during, killed, api, applied = running.run(hit())

    assert during == before | {service: "exited"}
    assert killed == "true"
    assert api == 200
    assert applied.effects == 1
    assert running.statuses() == before
    told = [(one.service, one.what) for one in running.records]
    assert (service, "oom") in told
    assert {who for who, _ in told} == {service}
    assert running.source() == "primary"  # a killed database has its tables again


def test_a_full_disk_refuses_writes_lets_reads_through_and_has_room_again(running):
    running.sql("CREATE TABLE IF NOT EXISTS written (line text)")
    insert = "INSERT INTO written SELECT repeat('x', 999) FROM generate_series(1, 100)"

    async def hit():
        async with running.fault("disk_full") as applied:
            refused = await asyncio.to_thread(running.sql, insert)
            source = await asyncio.to_thread(running.source)
            return running.free_bytes(), refused, source, applied

    free_bytes, refused, source, applied = running.run(hit())

    assert free_bytes == 0
    assert "No space left on device" in refused
    assert source == "primary"
    assert applied.effects == 1
    assert running.free_bytes() > 32 << 20
    assert running.sql(insert) == "INSERT 0 100"


def test_a_disk_is_filled_up_to_what_is_spared(running):
    async def hit():
        async with running.system.capabilities.disks.fill("db", 1 << 20):
            return running.free_bytes()

    assert running.run(hit()) == 1 << 20


def test_the_disk_of_this_host_is_never_filled(running):
    with pytest.raises(FaultNotApplied, match="the data of 'api' is on the disk of this host"):
        running.system.capabilities.disks.fill("api", 0)


@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S])
def test_a_wrong_clock_dates_answers_and_touches_neither_durations_nor_others(running, offset_s):
    async def hit():
        async with running.system.capabilities.clocks.skew("api", offset_s) as applied:
            record = await running.next_clock_record()
            return record, running.ahead_s("api"), running.ahead_s("tiger"), applied

    (late_s, wall_ahead_s), api_s, tiger_s, applied = running.run(hit())

    assert abs(api_s - offset_s) < DATE_WITHIN_S
    assert abs(wall_ahead_s - offset_s) < DATE_WITHIN_S
    assert 0 <= late_s < DATE_WITHIN_S  # the times of records are the monotonic clock's
    assert abs(tiger_s) < DATE_WITHIN_S
    assert applied.effects == 1
    assert abs(running.ahead_s("api")) < DATE_WITHIN_S
    assert running.source() == "primary"


@pytest.mark.parametrize("name", FAULTS)
def test_it_heals_after_an_error_inside(running, name):
    async def hit():
        async with running.fault(name):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        running.run(hit())

    assert running.is_whole()


@pytest.mark.parametrize("name", FAULTS)
def test_it_heals_after_a_cancellation_inside(running, name):
    async def hit():
        entered = asyncio.Event()

        async def inside():
            async with running.fault(name):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(inside())
        await entered.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert running.run(hit())
    assert running.is_whole()


@pytest.mark.usefixtures("images")
def test_nothing_is_left_of_a_harness_that_is_killed_while_all_are_in_force(tmp_path):
    run_id = f"held-{os.getpid()}-{tmp_path.name}"
    command = [sys.executable, "-m", "tests.docker.held_faults", str(tmp_path), run_id]
    harness = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    try:
        said = harness.stdout.readline().strip()
    finally:
        os.killpg(harness.pid, signal.SIGKILL)
        harness.communicate(timeout=5)
    assert said == IN_FORCE

    time.sleep(CLEAN_WITHIN_S)  # noqa: TID251 -- the promise; what comes back late would be missed

    assert left(run_id) == []
    assert not undo.work_folder(run_id).exists()
