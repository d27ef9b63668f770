"""The commands about this machine: `clean` and `doctor`."""

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from fault_injectors.toxiproxy import ProxyKind, find_toxiproxy_server
from harness.command_line import fault_matrix
from harness.command_line.exit_codes import ExitCode, end_with
from harness.environments import labelled, undo, world
from harness.environments.compose.machine import find_machine
from harness.environments.postgres import find_installation, server_user
from harness.environments.standing import standing_in, take_down
from harness.model.errors import MissingDependency

_PACKAGES = ("pytest", "hypothesis", "toxiproxy-python", "docker", "httpx", "pytest-xdist")
_NO_TOXIPROXY = "toxiproxy-server is not installed; 'make setup' builds it where Go is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of others that some of us needs.

    Args:
        name: What it is called on PATH.
        package: Debian's package that has it.
        needed_by: What does not work without it.
    """

    name: str
    package: str
    needed_by: str


MONITORING = (
    Program(
        name="prometheus",
        package="prometheus",
        needed_by="scenarios with 'alerts' and the check 'alert' run it",
    ),
    Program(
        name="promtool",
        package="prometheus",
        needed_by="checks and tests alert rules, such as those of monitoring/",
    ),
    Program(
        name="prometheus-alertmanager",
        package="prometheus-alertmanager",
        needed_by="tests of the route to PagerDuty run it",
    ),
    Program(
        name="amtool",
        package="prometheus-alertmanager",
        needed_by="checks that route",
    ),
)
"""What alerts and their tests need; no other scenario needs any of it."""


def remove_leftovers(*, force: bool) -> None:
    """Undo and remove what runs left behind whose harness is dead; say what was done."""
    spared, failed = 0, False
    for folder in undo.work_folders():
        run_id, is_owned = undo.owner_of(folder)
        stands = standing_in(folder)
        if is_owned and not force:
            told = (
                f"{stands.system} is up; left alone ('atlas-chaos down' stops it)"
                if stands
                else "still going on; left alone (--force stops it)"
            )
            sys.stdout.write(f"run {run_id}: {told}\n")
            spared += 1
            continue
        try:
            done = take_down(stands) if stands else undo.undo_all(folder, run_id)
        except (OSError, TimeoutError) as error:
            sys.stderr.write(f"run {run_id} could not be removed: {error}\n")
            failed = True
            continue
        sys.stdout.write("".join(f"run {run_id}: {line}\n" for line in done))
    _kill_orphans()
    _remove_orphans()
    if failed:
        end_with(ExitCode.HARNESS_ERROR)
    sys.stdout.write("nothing is left\n" if not spared else f"{spared} runs left alone\n")


def _kill_orphans() -> None:
    """Kill marked processes of runs that have no work folder any more, and no watchdog either.

    A run whose watchdog lives has its folder where another `TMPDIR` says.
    """
    known = {undo.owner_of(folder)[0] for folder in undo.work_folders()}
    for run_id in sorted({run_id for run_id, _ in world.marked_runs()} - known):
        if world.is_guarded(run_id):
            sys.stdout.write(f"run {run_id}: guarded by its own watchdog; left alone\n")
            continue
        folder = undo.work_folder(run_id)
        for line in world.kill_all(run_id, folder):
            sys.stdout.write(f"run {run_id}: killed {line}\n")


def _remove_orphans() -> None:
    """Remove containers, networks and volumes of runs that have no work folder any more.

    Only those whose owner is known to be dead; without an engine there is nothing to look at.
    """
    try:
        host = find_machine().host
    except MissingDependency:
        return
    known = {undo.owner_of(folder)[0] for folder in undo.work_folders()}
    for run_id in sorted(set(labelled.orphans(host=host)) - known):
        for line in labelled.remove_all(labelled.label_of(run_id), host=host):
            sys.stdout.write(f"run {run_id}: {line}\n")


def show_machine() -> None:
    """Print versions, programs and what each environment offers here."""
    write = sys.stdout.write
    write(f"atlas-chaos {version('atlas-chaos')} on Python {platform.python_version()}\n")
    for package in _PACKAGES:
        write(f"  {package:<18} {_version_of(package)}\n")
    try:
        found = find_installation()
        write(f"PostgreSQL: {found.folder} ({found.origin}), as user {server_user() or 'you'}\n")
    except MissingDependency as error:
        write(f"PostgreSQL: {error}\n")
    write(f"real Toxiproxy: {_toxiproxy()}\n")
    write(f"Docker: {_docker()}\n")
    write("monitoring, for alerts alone:\n")
    write("".join(f"  {line}\n" for line in program_lines()))
    write("\n")
    write(f"{_matrix()}\n")


def program_lines(path: str | None = None) -> Iterator[str]:
    """Yield for each program of the monitoring where it is, or what brings it, and what needs it.

    Args:
        path: Folders to search, joined as in `PATH`, which is searched if this is not given.
    """
    width = max(len(program.name) for program in MONITORING)
    for program in MONITORING:
        found = shutil.which(program.name, path=path)
        where = found or f"not installed (Debian: apt-get install {program.package})"
        yield f"{program.name:<{width}}  {where}; {program.needed_by}"


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _toxiproxy() -> str:
    found = find_toxiproxy_server()
    return str(found) if found else _NO_TOXIPROXY


def _docker() -> str:
    try:
        return str(find_machine())
    except MissingDependency as error:
        return str(error)


def _matrix() -> str:
    """Return which faults can be injected on this machine, and why others cannot."""
    lacking: dict[str, str] = {}
    if find_toxiproxy_server() is None:
        lacking[f"processes, {ProxyKind.TOXIPROXY}"] = _NO_TOXIPROXY
    try:
        find_machine()
    except MissingDependency as error:
        lacking[f"compose, {ProxyKind.TOXIPROXY}"] = str(error)
    absent = {one: lacking[str(one)] for one in fault_matrix.COLUMNS if str(one) in lacking}
    return fault_matrix.matrix_text(fault_matrix.rows(absent))
