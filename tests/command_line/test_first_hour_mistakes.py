"""The mistakes of a first hour, each with the line that tells what to do about it."""

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.command_line.first_hour import SCENARIO, SYSTEM, atlas_chaos, change, starter_text

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What a user changed in a file and ran, and what the harness has to say.

    `{port}` in a new text is a port that another program listens on.
    """

    name: str
    command: tuple[str, ...]
    code: int
    says: str
    file: str = SCENARIO
    old: str = ""
    new: str = ""


CHECKS = "checks:" + starter_text("scenario.yaml").partition("\nchecks:")[2]

MISTAKES = [
    Mistake(
        name="wrong folder",
        command=("run",),
        code=4,
        says="there is no folder 'scenarios' here; go to your project's folder, name the "
        "scenarios, or let 'atlas-chaos init' write the first\n",
    ),
    Mistake(
        name="path with a typo",
        command=("run", "choas"),
        code=4,
        says="choas: no such file or folder; did you mean 'chaos'?\n",
    ),
    Mistake(
        name="run without scenarios",
        command=("run", "empty"),
        code=4,
        says="empty holds no *.chaos.yaml; go to your project's folder",
    ),
    Mistake(
        name="system file given to run",
        command=("run", SYSTEM),
        code=4,
        says=f"a system is started alone by 'atlas-chaos up {SYSTEM}'\n",
    ),
    Mistake(
        name="unknown -k",
        command=("run", "chaos", "-k", "gretings"),
        code=4,
        says="no scenario matches -k 'gretings'; there are:\n  greetings_survive_late_names\n",
    ),
    Mistake(
        name="typo in a key",
        command=("run", "chaos"),
        code=4,
        says=f"{SCENARIO}:23:5: fault 'latency' has no field 'dealy'; expected 'fault', 'link', "
        "'stream', 'delay', 'jitter', 'share', 'at' or 'for'; did you mean 'delay'?\n",
        old="delay: 10s",
        new="dealy: 10s",
    ),
    Mistake(
        name="typo in a check",
        command=("validate", "chaos"),
        code=4,
        says="did you mean 'success_ratio'?\n",
        old="- success_ratio:",
        new="- sucess_ratio:",
    ),
    Mistake(
        name="missing unit",
        command=("run", "chaos"),
        code=4,
        says=f"{SCENARIO}:11:11: load.greetings.rate: expected a rate such as '50/s', got 5; "
        "per what?\n",
        old="rate: 5/s",
        new="rate: 5",
    ),
    Mistake(
        name="wrong indentation",
        command=("run", "chaos"),
        code=4,
        says=f"{SCENARIO}:11:4: not YAML: this line is indented unlike those before it\n",
        old="    rate: 5/s",
        new="   rate: 5/s",
    ),
    Mistake(
        name="tab",
        command=("run", "chaos"),
        code=4,
        says="a tab cannot indent YAML; use spaces\n",
        old="    rate: 5/s",
        new="\trate: 5/s",
    ),
    Mistake(
        name="link written backwards",
        command=("run", "chaos"),
        code=4,
        says="no link 'names -> greeter'; the client stands first: 'greeter -> names'\n",
        old="link: greeter -> names",
        new="link: names -> greeter",
    ),
    Mistake(
        name="fault before the baseline ends",
        command=("run", "chaos"),
        code=4,
        says="fault 'latency' starts at 10 s, before the baseline ends (20 s); nothing would show "
        "that the system was healthy before\n",
        old="at: 20s",
        new="at: 10s",
    ),
    Mistake(
        name="no samples",
        command=("run", "chaos"),
        code=4,
        says="load 'greetings' offers 2 operations in the baseline of 20 s, but its steady state "
        "needs 20; lengthen the baseline or raise the rate\nnothing was started\n",
        old="rate: 5/s",
        new="rate: 0.1/s",
    ),
    Mistake(
        name="field without a dataset",
        command=("run", "chaos"),
        code=4,
        says="load.greetings.request: uses {name}, but load 'greetings' has no 'dataset' to draw "
        "it from\n",
        old="GET /greeting",
        new="GET /greeting/{name}",
    ),
    Mistake(
        name="forgotten checks",
        command=("run", "chaos"),
        code=4,
        says=f"{SCENARIO}:3:1: a scenario needs 'checks': a list of checks\n",
        old=CHECKS,
        new="",
    ),
    Mistake(
        name="system file missing",
        command=("run", "chaos"),
        code=4,
        says="system: no such file chaos/greeting.system.yaml; did you mean 'greetings'?\n",
        old="system: greetings",
        new="system: greeting",
    ),
    Mistake(
        name="time scale too small",
        command=("run", "chaos", "--time-scale", "0.001"),
        code=4,
        says="fault 'latency' would delay by less than 0.05 s at time scale 0.001; from 0.005 on "
        "it works\n",
    ),
    Mistake(
        name="judge of a folder without a run",
        command=("judge", "chaos"),
        code=4,
        says="chaos holds no saved run (run.json and history); 'atlas-chaos run' makes them, in "
        "reports/latest/runs/NAME\n",
    ),
    Mistake(
        name="init over what exists",
        command=("init",),
        code=4,
        says=f"{SCENARIO} and 5 more of these files exist already; name another folder, or "
        "overwrite with --force\nnothing was written\n",
    ),
    Mistake(
        name="down when nothing is up",
        command=("down", "greetings_of_nobody"),
        code=0,
        says="no system 'greetings_of_nobody' is up; ",
    ),
    Mistake(
        name="up of a folder without a system",
        command=("up", "empty"),
        code=4,
        says="empty holds no *.system.yaml; 'atlas-chaos init DIR' writes one\n",
    ),
    Mistake(
        name="unknown name to explain",
        command=("explain", "latncy"),
        code=4,
        says="nothing is called 'latncy'; did you mean 'latency'?; 'atlas-chaos explain' lists",
    ),
    Mistake(
        name="unknown command",
        command=("runn",),
        code=4,
        says="No such command 'runn'. Did you mean 'run'?",
    ),
    Mistake(
        name="program not found",
        command=("run", "chaos"),
        code=3,
        says="ServiceNotReady: service 'greeter': cannot start 'pyhton': no such program; is it "
        "installed, on PATH, and is this the right folder?\n",
        file=SYSTEM,
        old="python chaos/greeter.py",
        new="pyhton chaos/greeter.py",
    ),
    Mistake(
        name="file of a service not found",
        command=("run", "chaos"),
        code=3,
        says="ServiceNotReady: service 'greeter' ended while it started: ",
        file=SYSTEM,
        old="chaos/greeter.py",
        new="greeter.py",
    ),
    Mistake(
        name="package of a service not installed",
        command=("run", "chaos"),
        code=3,
        says="ended while it started: ModuleNotFoundError: No module named 'no_such_package'\n",
        file="chaos/greeter.py",
        old="import os\n",
        new="import os\nimport no_such_package\n",
    ),
    Mistake(
        name="port in use by a program of the user",
        command=("run", "chaos"),
        code=3,
        says="Address already in use\n",
        file="chaos/greeter.py",
        old='int(os.environ["ATLAS_PORT"])',
        new="{port}",
    ),
    Mistake(
        name="service listens on a port of its own",
        command=("run", "chaos"),
        code=3,
        says=", which it was told in ATLAS_PORT)",
        file=SYSTEM,
        old="command: python chaos/greeter.py\n",
        new="command: sleep 30\n    ready_within: 1s\n",
    ),
    Mistake(
        name="wrong ready path",
        command=("run", "chaos"),
        code=3,
        says="it listens, but GET /ready did not answer 200)",
        file="chaos/greeter.py",
        old='self.answer(200, "here", {})',
        new='self.answer(404, "no such path", {})',
    ),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    assert atlas_chaos(folder, "init").returncode == 0
    return folder


@pytest.fixture
def folder(written, tmp_path) -> Path:
    shutil.copytree(written / "chaos", tmp_path / "chaos")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_told_with_what_to_do(mistake, folder, taken_port):
    if mistake.old:
        change(folder, mistake.file, mistake.old, mistake.new.replace("{port}", str(taken_port)))

    done = atlas_chaos(folder, *mistake.command, columns=200)

    assert mistake.says in done.stdout + done.stderr
    assert done.returncode == mistake.code
    assert "Traceback" not in done.stderr
    assert working_in(folder) == []


def working_in(folder: Path) -> list[str]:
    """Return the programs that work in a folder, as services work in that of their harness."""
    return [
        process.name()
        for process in psutil.process_iter(["cwd"])
        if process.info["cwd"] == str(folder)
    ]
