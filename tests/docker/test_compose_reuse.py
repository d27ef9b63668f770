"""Runs share a project: the next one finds nothing of the one before, or another project."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import gettempdir

import pytest

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import SystemClock, block_s
from harness.composition import load
from harness.environments import labelled, postgres
from harness.environments.compose import ComposeEnvironment, Projects
from harness.model.errors import HarnessError, WorldNotClean
from harness.model.run import RunSettings
from harness.model.system import Link
from tests.docker.conftest import IMAGES, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.docker, pytest.mark.usefixtures("images")]

SCENARIO = ROOT / "scenarios" / "lookups_survive_a_dead_database.chaos.yaml"
LOOKUP = "/v1/lookup?lat=43.07305&lon=-89.40123"
FAILURES_MAX = 40  # more than any breaker of the system counts before it opens
SUITE_WITHIN_S = 120
TOLD_WITHIN_S = 60.0  # an end of a start took 2 to 25 s
CLEAN_WITHIN_S = 15.0
POLL_S = 0.25
# `tiger` calls nobody: with the proxy that is always there two containers, 2 s to start.
CHEAP = """
claim: nothing is left of it
system: shadow_atlas
load: {asks: {service: tiger, request: GET /v1/health, rate: 20/s, patience: 2s}}
baseline: 1s
timeline: [{fault: pause, service: tiger, at: 1s, for: 500ms}]
settle: {at_most: 5s, hold: 500ms}
checks: [{success_ratio: {load: asks, during: run, at_least: 10%}}]
"""


class Suite:
    """Runs that share projects, and what the engine says of them past the harness's library."""

    def __init__(self, folder: Path, projects: Projects) -> None:
        self.records = []
        self._folder = folder
        self._environment = ComposeEnvironment(
            clock=SystemClock(), proxy=ProxyKind.TOXIPROXY, projects=projects
        )

    def start(self, name: str):
        [scenario] = load([SCENARIO])
        settings = RunSettings(
            environment="compose",
            seed=7,
            time_scale=1.0,  # an open breaker stays open while it is looked at
            folder=self._folder / name,
            run_id=self.run_id(name),
        )
        return self._environment.start(scenario, settings, self.records.append)

    def run_id(self, name: str) -> str:
        return f"reuse-{os.getpid()}-{self._folder.name}-{name}"

    def control(self) -> str:
        """Return `host:port` of the control API of the only running proxy."""
        return docker("port", self.containers("toxiproxy")[0], "8474").strip()

    def containers(self, service: str) -> list[str]:
        """Return the running containers of a service in all projects of the suite."""
        name = f"label=com.docker.compose.service={service}"
        form = f'{{{{.ID}}}} {{{{.Label "{labelled.RUN_LABEL}"}}}}'
        listed = docker("ps", "--filter", name, "--format", form).splitlines()
        own = [one.split() for one in listed]
        return [one for one, run in own if run.startswith(self.run_id(""))]

    def networks(self, name: str) -> set[str]:
        """Return the networks of the project that was made for a run."""
        label = labelled.label_of(self.run_id(name))
        return set(docker("network", "ls", "-q", "--filter", f"label={label}").split())

    def left(self) -> list[str]:
        return leftovers(f"reuse-{os.getpid()}-{self._folder.name}")


@asynccontextmanager
async def suite_in(folder: Path):
    async with Projects(clock=SystemClock()) as projects:
        suite = Suite(folder, projects)
        yield suite
    assert suite.left() == []


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def leftovers(prefix: str) -> list[str]:
    """Return all containers, networks, volumes and folders of runs whose name begins so."""
    found = [str(path) for path in Path(gettempdir()).glob(f"atlas-chaos-{prefix}*")]
    for kind in (("ps", "-a"), ("network", "ls"), ("volume", "ls")):
        form = f'{{{{.Label "{labelled.RUN_LABEL}"}}}}'
        listed = docker(*kind, "--filter", f"label={labelled.RUN_LABEL}", "--format", form)
        found += [f"{kind[0]} of {run}" for run in listed.split() if run.startswith(prefix)]
    return found


def left_after_a_while(prefix: str) -> list[str]:
    """Return what is left when the time of a watchdog is over."""
    for _ in range(int(CLEAN_WITHIN_S / POLL_S)):
        if not leftovers(prefix):
            break
        block_s(POLL_S)
    return leftovers(prefix)


class Seen:
    """What one run finds, asked from outside."""

    def __init__(self, system, suite: Suite) -> None:
        self._system = system
        self._control = suite.control()

    async def everything(self) -> dict[str, object]:
        """Return rows, tables, breakers, toxics and event files, as a run begins."""
        return {
            "areas": await self.run("SELECT FROM areas"),
            "tables": await self.run("SELECT FROM pg_tables WHERE schemaname = 'public'"),
            "breakers": (await asyncio.to_thread(self.health))["breakers"],
            "proxies": await asyncio.to_thread(self.proxies),
            "events": sorted(self._system.event_files()),
            "source": await asyncio.to_thread(self.source),
        }

    async def run(self, statement: str) -> str:
        return await rows_of(self._system, statement)

    def health(self) -> dict:
        with ask(f"http://{self._system.address('api')}/v1/health") as answer:
            return json.loads(answer.read())

    def source(self) -> str:
        with ask(f"http://{self._system.address('api')}{LOOKUP}") as answer:
            return answer.headers["x-atlas-source"]

    def proxies(self) -> dict[str, tuple[bool, list]]:
        with ask(f"http://{self._control}/proxies") as answer:
            listed = json.loads(answer.read())
        return {name: (one["enabled"], one["toxics"]) for name, one in listed.items()}

    def poison(self) -> None:
        """Add a toxic that nobody heals."""
        toxic = {"name": "slow", "type": "latency", "attributes": {"latency": 50}}
        with ask(f"http://{self._control}/proxies/api-db/toxics", json.dumps(toxic).encode()):
            pass


async def rows_of(system, statement: str) -> str:
    """Run a statement in the database of a run, past the proxy, and return its tag."""
    port = int(system.address("db").rpartition(":")[2])
    session = await postgres.connect(port, "atlas", within_s=5)
    try:
        return await session.run(statement)
    finally:
        session.close()


def make_container(run_id: str) -> str:
    """Make a container with the label of a run, as if one of its own had been forgotten."""
    [image] = [
        line.partition("=")[2] for line in IMAGES.read_text().splitlines() if "ATLAS_IMAGE=" in line
    ]
    return docker("create", "--label", labelled.label_of(run_id), image).strip()


def ask(url: str, data: bytes | None = None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, data, timeout=5)


async def leave_traces(system, seen: Seen) -> None:
    """Write and delete rows, leave a toxic, begin another incarnation, open a breaker."""
    await seen.run("CREATE TABLE trace AS SELECT 1")
    await seen.run("TRUNCATE areas CASCADE")
    await asyncio.to_thread(seen.poison)
    async with system.capabilities.processes.kill("tiger"):
        pass
    async with system.capabilities.network.down(Link("api", "db")):
        for _ in range(FAILURES_MAX):
            assert await asyncio.to_thread(seen.source) == "stale_cache"


def test_the_next_run_finds_nothing_of_the_one_before(tmp_path):
    async def two_runs():
        async with suite_in(tmp_path) as suite:
            async with suite.start("first") as system:
                seen = Seen(system, suite)
                found = await seen.everything()
                await leave_traces(system, seen)
                changed = await seen.everything()
            kept = suite.networks("first")
            async with suite.start("second") as system:
                assert suite.networks("first") == kept, "it is the same project"
                return found, changed, await Seen(system, suite).everything()

    first, changed, second = asyncio.run(two_runs())
    assert {key for key in first if first[key] != changed[key]} == set(first)
    assert second == first


def test_what_is_left_running_fails_the_run_that_left_it_and_is_removed(tmp_path):
    async def leaving():
        async with suite_in(tmp_path) as suite:
            with pytest.raises(
                WorldNotClean, match=r"left behind by .*: container \w{12} is created"
            ):
                async with suite.start("first"):
                    make_container(suite.run_id("first"))
            return suite.left()

    assert asyncio.run(leaving()) == []


def test_the_project_of_a_run_that_failed_is_never_lent_again(tmp_path):
    async def failing():
        async with suite_in(tmp_path) as suite:
            with pytest.raises(ZeroDivisionError):
                async with suite.start("first"):
                    raise ZeroDivisionError
            return suite.left()

    assert asyncio.run(failing()) == []


def test_a_project_that_somebody_touched_is_thrown_away_and_said_so(tmp_path):
    async def touching():
        async with suite_in(tmp_path) as suite:
            async with suite.start("first"):
                pass
            made = make_container(suite.run_id("first"))
            async with suite.start("second"):
                assert suite.networks("first") == set()
                assert suite.networks("second") != set()
        return made, [one for one in suite.records if one.what == "thrown away"]

    made, [told] = asyncio.run(touching())

    assert f"container {made[:12]} is created" in told.detail


def test_a_database_without_its_pristine_copy_is_used_by_nobody(tmp_path):
    async def losing():
        async with suite_in(tmp_path) as suite:
            async with suite.start("first") as system:
                await Seen(system, suite).run("DROP DATABASE atlas_pristine")
            with pytest.raises(HarnessError, match="pristine copy of database 'atlas' is gone"):
                async with suite.start("second"):
                    pass
            return suite.left()

    assert asyncio.run(losing()) == []


def test_two_runs_at_once_do_not_meet(tmp_path):
    async def side_by_side():
        async with (
            suite_in(tmp_path) as suite,
            suite.start("first") as one,
            suite.start("second") as other,
        ):
            assert not suite.networks("first") & suite.networks("second")
            for service in ("api", "db", "tiger"):
                assert one.address(service) != other.address(service)
            await rows_of(one, "CREATE TABLE trace AS SELECT 1")
            return await rows_of(other, "SELECT FROM pg_tables WHERE tablename = 'trace'")

    assert asyncio.run(side_by_side()) == "SELECT 0"


def write_scenarios(folder: Path, *, count: int) -> str:
    """Write cheap scenarios beside a Compose file of their own; return how their names begin."""
    prefix = f"cheap_{os.getpid()}_{folder.name.rpartition('_')[2]}"
    for path in ("docker-compose.yml", "docker/toxiproxy.json", str(IMAGES.relative_to(ROOT))):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    shutil.copy(ROOT / "scenarios" / "shadow_atlas.system.yaml", folder)
    for number in range(count):
        (folder / f"{prefix}_{number}.chaos.yaml").write_text(CHEAP)
    return prefix


def test_workers_of_pytest_have_a_project_each_and_leave_nothing(tmp_path):
    prefix = write_scenarios(tmp_path, count=4)

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(tmp_path), "-n", "2", "--environment", "compose"),
            *("--time-scale", "1", "--chaos-report-dir", str(tmp_path / "reports")),
            *("-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SUITE_WITHIN_S,
        check=False,
    )

    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert projects_made(tmp_path) == 2
    assert leftovers(prefix) == []


@pytest.mark.parametrize(
    ("end", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (None, 0)]
)
def test_nothing_is_left_of_a_suite_that_ends_while_its_second_run_uses_the_project_of_the_first(
    tmp_path, end, code
):
    prefix = write_scenarios(tmp_path, count=2)
    with (tmp_path / "said").open("w") as said:
        suite = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "harness.cli", "run", str(tmp_path), "-n", "1"),
                *("--environment", "compose", "--time-scale", "1", "--seed", "1"),
                *("--report-dir", str(tmp_path / "reports")),
            ],
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        wait_until_told(tmp_path / "said", f"{prefix}_1: fault", suite)
        if end is not None:
            os.killpg(suite.pid, end)
        assert suite.wait(timeout=SUITE_WITHIN_S) == code, (tmp_path / "said").read_text()
    finally:
        suite.kill()

    assert projects_made(tmp_path) == 1
    assert (left_after_a_while if end is signal.SIGKILL else leftovers)(prefix) == []


def projects_made(folder: Path) -> int:
    """Return how many watchdogs the runs of a suite began, of which each project has one."""
    return len(list(folder.glob("reports/runs/*/logs/watchdog.log")))


def wait_until_told(log: Path, words: str, suite: subprocess.Popen) -> None:
    for _ in range(int(TOLD_WITHIN_S / POLL_S)):
        if words in log.read_text():
            return
        assert suite.poll() is None, log.read_text()
        block_s(POLL_S)
    raise AssertionError(f"{words!r} was not told:\n{log.read_text()}")
