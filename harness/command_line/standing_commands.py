"""The commands `up` and `down`: a system alone, without load, faults and verdict."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import SystemClock, block_s
from harness.command_line.exit_codes import Done, ExitCode, end_with
from harness.command_line.standing_sheet import sheet
from harness.command_line.system_choice import chosen_system
from harness.environments.choice import make_environment
from harness.environments.processes import ProcessesEnvironment, RunningProcesses
from harness.environments.standing import Standing, note, standing_systems, take_down
from harness.model.errors import HarnessError
from harness.model.records import ProcessRecord, Record
from harness.model.run import RunSettings
from harness.model.scenario import ProbeSpec, Scenario, Settle
from harness.model.system import ServiceKind, System

_READY_WITHIN_S = 120.0  # each service has its own bound; this one is for a keeper that hangs
_POLL_S = 0.05
_ALIVE_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What the command line says about a system to start.

    Args:
        system: File, folder or name of the system; None: the only one in `scenarios`.
        proxy: Name of the fault proxy.
        time_scale: Factor on the durations of its services.
        seed: Ports and all that is random in the services derive from it.
        report_dir: Its events and logs go into a folder of the system's name in here.
        detach: Return when it is up, and leave it to a process in the background.
    """

    system: str | None
    proxy: str
    time_scale: float
    seed: int
    report_dir: Path
    detach: bool


def start_system(options: UpOptions) -> None:
    """Start a system and say how to reach it; hold it until Ctrl-C, or leave it to a keeper."""
    system = chosen_system(options.system)
    folder = (options.report_dir / system.name).resolve()
    _refuse_a_second(system, folder)
    environment = _environment(options.proxy)
    lacking = environment.missing(_alone(system))
    if lacking:
        sys.stderr.write("\n".join(lacking) + "\nnothing was started\n")
        end_with(ExitCode.USAGE)
    if options.detach:
        _leave_to_keeper(system, options, folder)
        return
    for name in ("events", "logs"):  # of an earlier one; its records would be taken for ours
        shutil.rmtree(folder / name, ignore_errors=True)
    try:
        asyncio.run(_hold(system, environment, _settings(system, options, folder)))
    except HarnessError as error:
        sys.stderr.write(f"{error}\n{system.name} is down\n")
        end_with(ExitCode.HARNESS_ERROR)
    except asyncio.CancelledError as error:
        raise Done(ExitCode.INTERRUPTED) from error


def _refuse_a_second(system: System, folder: Path) -> None:
    for standing in standing_systems():
        if Path(standing.folder) == folder:
            sys.stderr.write(
                f"{system.name} is up already (run {standing.run_id}); stop it with 'atlas-chaos "
                "down', or name another --report-dir for a second one\n"
            )
            end_with(ExitCode.USAGE)


def _environment(proxy: str) -> ProcessesEnvironment:
    try:
        make_environment(ProcessesEnvironment.name, proxy, SystemClock())  # says what is wrong
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        end_with(ExitCode.USAGE)
    return ProcessesEnvironment(clock=SystemClock(), proxy=ProxyKind(proxy))


def _alone(system: System) -> Scenario:
    """Return a scenario that reaches every service and asks nothing: what starts a whole system."""
    programs = [one for one in system.services if one.kind is ServiceKind.COMMAND]
    return Scenario(
        name=f"up_{system.name}",
        path=system.path,
        claim="",
        system=system,
        loads=(),
        probes=tuple(
            ProbeSpec(name=one.name, service=one.name, path="/", every_s=1.0) for one in programs
        ),
        settle=Settle(at_most_s=0.0, hold_s=0.0),
        baseline_s=0.0,
        checks=(),
    )


def _settings(system: System, options: UpOptions, folder: Path) -> RunSettings:
    moment = f"{SystemClock().now_ns():x}"[-8:]
    return RunSettings(
        environment=ProcessesEnvironment.name,
        seed=options.seed,
        time_scale=options.time_scale,
        folder=folder,
        run_id=f"up-{system.name[:40]}-{moment}",
    )


async def _hold(system: System, environment: ProcessesEnvironment, settings: RunSettings) -> None:
    """Keep a system up until SIGINT or SIGTERM; then stop it and check that nothing is left."""
    loop, task, told = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    sys.stdout.write(f"starting {', '.join(one.name for one in system.services)}\n")
    sys.stdout.flush()
    async with environment.start(_alone(system), settings, _tell_end) as running:
        for how in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(how, told.set)
        standing = running.standing()
        text = sheet(standing)
        note(standing)
        sys.stdout.write(f"\n{text}\nCtrl-C, or 'atlas-chaos down', stops it\n")
        sys.stdout.flush()
        await _until(told, running)
        sys.stdout.write(f"\nstopping {system.name}\n")
    sys.stdout.write(f"{system.name} is down\n")


async def _until(told: asyncio.Event, running: RunningProcesses) -> None:
    """Wait to be told; a system without proxy or watchdog is none, so both must live."""
    while not told.is_set():
        running.check_alive()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ALIVE_EVERY_S):
                await told.wait()


def _tell_end(record: Record) -> None:
    """Tell people when a service ends by itself."""
    if isinstance(record, ProcessRecord) and record.what == "crashed":
        sys.stdout.write(f"service {record.service} has ended: {record.detail}; see its log\n")
        sys.stdout.flush()


def _leave_to_keeper(system: System, options: UpOptions, folder: Path) -> None:
    """Start a process in a session of its own that holds the system, and wait until it is up."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "up.log"
    command = [
        *(sys.executable, "-P", "-m", "harness.cli", "up", str(system.path)),
        *("--proxy", options.proxy, "--time-scale", repr(options.time_scale)),
        *("--seed", str(options.seed), "--report-dir", str(options.report_dir)),
    ]
    with log.open("wb") as output:
        keeper = subprocess.Popen(  # noqa: S603 -- our own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        standing = _wait_until_up(keeper)
    except KeyboardInterrupt:
        keeper.terminate()
        raise
    if standing is None:
        keeper.terminate()
        sys.stderr.write(log.read_text(encoding="utf-8", errors="replace"))
        end_with(ExitCode.HARNESS_ERROR)
    sys.stdout.write(f"{sheet(standing)}\n'atlas-chaos down {system.name}' stops it\n")


def _wait_until_up(keeper: subprocess.Popen[bytes]) -> Standing | None:
    """Return what a keeper noted; None if it ended or did not get there in time."""
    for _ in range(int(_READY_WITHIN_S / _POLL_S)):
        if keeper.poll() is not None:
            return None
        for standing in standing_systems():
            if standing.pid == keeper.pid:
                return standing
        block_s(_POLL_S)
    return None


def stop_systems(named: str | None) -> None:
    """Stop the systems that stand on this machine, or the one of a name."""
    found = list(standing_systems())
    chosen = [one for one in found if named is None or named in (one.system, one.run_id)]
    if not chosen:
        others = ", ".join(one.system for one in found)
        what = f"no system {named!r} is up" if named else "nothing is up"
        hint = f"; up: {others}" if others else "; 'atlas-chaos up' starts a system"
        sys.stdout.write(f"{what}{hint}\n")
        return
    for standing in chosen:
        try:
            undone = take_down(standing)
        except (OSError, TimeoutError) as error:
            sys.stderr.write(f"{standing.system} could not be stopped: {error}\n")
            end_with(ExitCode.HARNESS_ERROR)
        sys.stdout.write(
            "".join(f"{line}\n" for line in undone if not line.startswith(("killed", "removed")))
        )
        sys.stdout.write(f"{standing.system} is down (run {standing.run_id})\n")
