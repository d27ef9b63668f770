"""The commands about this machine: `clean` and `doctor`."""

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from fault_injectors.catalogue import FAULTS
from harness.clock import SystemClock
from harness.command_line.exit_codes import ExitCode, end_with
from harness.composition import ENVIRONMENTS, PROXIES, make_environment
from harness.environments import undo, world
from harness.environments.postgres import find_installation, server_user
from harness.environments.standing import standing_in, take_down
from harness.model.errors import MissingDependency

_PACKAGES = ("pytest", "hypothesis", "toxiproxy-python", "docker", "httpx", "pytest-xdist")


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
    if failed:
        end_with(ExitCode.HARNESS_ERROR)
    sys.stdout.write("nothing is left\n" if not spared else f"{spared} runs left alone\n")


def _kill_orphans() -> None:
    """Kill marked processes whose run has no work folder any more."""
    known = {undo.owner_of(folder)[0] for folder in undo.work_folders()}
    for run_id in sorted({run_id for run_id, _ in world.marked_runs()} - known):
        folder = undo.work_folder(run_id)
        for line in world.kill_all(run_id, folder):
            sys.stdout.write(f"run {run_id}: killed {line}\n")


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
    write(f"real Toxiproxy: {_toxiproxy()}\n\n")
    for name in ENVIRONMENTS:
        for proxy in PROXIES:
            _show_matrix(name, proxy)


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _toxiproxy() -> str:
    return shutil.which("toxiproxy-server", path=".tools/bin") or "not installed; make setup does"


def _show_matrix(name: str, proxy: str) -> None:
    offered = make_environment(name, proxy, SystemClock()).offers()
    sys.stdout.write(f"environment {name}, proxy {proxy}: {', '.join(sorted(offered))}\n")
    for fault in FAULTS:
        sys.stdout.write(f"  {fault.name:<22} {fault.summary}\n")
