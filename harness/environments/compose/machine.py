"""What this machine has of Docker, asked through its command line before anything is started."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from harness.environments import child
from harness.environments.compose.stack import Stack, read_stack
from harness.model.errors import MissingDependency

API_AT_LEAST = (1, 41)  # of Docker 20.10, the oldest that this was tried with
COMPOSE_AT_LEAST = (2, 24, 4)  # the first that knows `!override`
_WITHIN_S = 20.0  # an engine that answers takes 50 ms; one that hangs is none
_GET_ENGINE = "start it, or get one with scripts/docker_engine.sh start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The Docker of this machine.

    Args:
        host: The engine, as `DOCKER_HOST` says it.
        engine: Version of the engine.
        api: Version of its API.
        compose: Version of Compose.
    """

    host: str
    engine: str
    api: str
    compose: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"engine {self.engine} (API {self.api}) at {self.host}, Compose {self.compose}"


def find_machine() -> Machine:
    """Return the Docker of this machine; asked once per process and `DOCKER_HOST`.

    Raises:
        MissingDependency: If there is none that can run scenarios, with what to do.
    """
    return _machine(os.environ.get("DOCKER_HOST", ""))


@cache
def _machine(chosen: str) -> Machine:
    host = chosen or _asked(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], "")
    told = json.loads(_asked(["version", "--format", "{{json .}}"], host))
    server = told.get("Server") or {}
    api = str(server.get("ApiVersion", ""))
    if numbers(api) < API_AT_LEAST:
        raise MissingDependency(
            f"the Docker engine at {host} has API {api or 'none'}, and {_dotted(API_AT_LEAST)} "
            "(Docker 20.10) is needed; upgrade it"
        )
    name = _asked(["info", "--format", "{{.Name}}"], host)
    if name != platform.node():
        raise MissingDependency(
            f"the Docker engine at {host} runs on {name!r}, not on this host "
            f"({platform.node()!r}): its clock and its loopback are not ours; run the harness there"
        )
    compose = _compose(host)
    _demand_sdk()
    return Machine(host=host, engine=str(server["Version"]), api=api, compose=compose)


def _compose(host: str) -> str:
    try:
        version = _asked(["compose", "version", "--short"], host)
    except MissingDependency as error:
        raise MissingDependency(
            "Docker has no Compose v2 here; install docker-compose-plugin, or build it with "
            "scripts/docker_engine.sh compose"
        ) from error
    if numbers(version) < COMPOSE_AT_LEAST:
        raise MissingDependency(
            f"Compose is {version}, and {_dotted(COMPOSE_AT_LEAST)} is needed; upgrade it"
        )
    return version


def _demand_sdk() -> None:
    """Raise unless Docker's library is there; a folder called `docker` is not the library."""
    if not hasattr(_library(), "APIClient"):
        raise MissingDependency(
            "the environment compose needs Docker's Python library; "
            "pip install 'atlas-chaos[compose]'"
        )


def _library() -> object:
    try:
        return import_module("docker")
    except ImportError:
        return None


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparison.

    >>> numbers("v2.40.3-desktop.1")
    (2, 40, 3)
    """
    core = version.removeprefix("v").partition("-")[0].partition("+")[0]
    return tuple(int(part) for part in core.split(".") if part.isdigit())


def stack_of(file: Path, machine: Machine) -> Stack:
    """Return what a Compose file says, by Compose's own reading of it.

    Raises:
        MissingDependency: If Compose cannot read it, with its words.
    """
    return _stack(file, machine)


@cache
def _stack(file: Path, machine: Machine) -> Stack:
    bare = Stack(file=file, services={})
    arguments = [*compose_arguments(bare), "config", "--format", "json"]
    return read_stack(json.loads(_asked(arguments, machine.host)), file)


def compose_arguments(stack: Stack, *more: Path, project: str = "") -> list[str]:
    """Return the arguments of `docker` that lead up to a command of Compose.

    Args:
        stack: The user's file, whose folder relative paths start from.
        more: Files laid over it, in order.
        project: Name of the project; empty: the file's own.
    """
    files = [part for path in (stack.file, *more) for part in ("--file", str(path))]
    known = stack.variables_file
    variables = ["--env-file", str(known)] if known.exists() else []
    named = ["--project-name", project] if project else []
    return [
        *("compose", "--profile", "*", "--project-directory", str(stack.file.parent)),
        *files,
        *variables,
        *named,
    ]


def lacking_images(
    stack: Stack,
    names: Sequence[str],
    helpers: Sequence[str],
    machine: Machine,
    *,
    needs_tools: bool,
) -> list[str]:
    """Return why containers cannot be made, for want of their images.

    Args:
        stack: The Compose file.
        names: The services whose containers are made.
        helpers: The services of the file that serve the harness.
        machine: Has the images.
        needs_tools: Whether something is run beside them as well.
    """
    if needs_tools and not stack.tools:
        what = "no image with iptables and python3, which faults on packets and names need"
        return [f"{stack.file.name} names {what}; say 'x-atlas-chaos: {{tools: IMAGE}}' there"]
    needed = dict.fromkeys(stack.services[name].image for name in stack.made_for(names, helpers))
    if needs_tools:
        needed[stack.tools] = None
    return [
        f"image {image} is not here; scripts/docker_images.sh gets what {stack.file.name} needs"
        for image in needed
        if not _has_image(image, machine.host)
    ]


@cache
def _has_image(image: str, host: str) -> bool:
    try:
        _asked(["image", "inspect", "--format", "{{.Id}}", image], host)
    except MissingDependency:
        return False
    return True


def unknown_services(stack: Stack, names: Sequence[str]) -> list[str]:
    """Return which services a run needs that the Compose file does not describe."""
    return [
        f"{stack.file.name} describes no service {name!r}; it has {', '.join(stack.services)}"
        for name in names
        if name not in stack.services
    ]


def environment(host: str, **extra: str) -> dict[str, str]:
    """Return the variables of a call of Docker's command line."""
    return child.inherited_environment(DOCKER_HOST=host, **extra)


def _asked(arguments: Sequence[str], host: str) -> str:
    """Return what a command of Docker says.

    Raises:
        MissingDependency: If it fails, with what it said.
    """
    try:
        done = subprocess.run(  # noqa: S603 -- the arguments are ours
            ["docker", *arguments],  # noqa: S607 -- wherever the user has it
            env=environment(host) if host else child.inherited_environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_WITHIN_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise MissingDependency(f"docker is not on PATH; {_GET_ENGINE}") from error
    except subprocess.TimeoutExpired as error:
        raise MissingDependency(
            f"the Docker engine at {host} did not answer within {_WITHIN_S:g} s; {_GET_ENGINE}"
        ) from error
    if done.returncode != 0:
        raise MissingDependency(_told(done.stderr, host))
    return done.stdout.strip()


def _told(said: str, host: str) -> str:
    last = said.strip().splitlines()[-1:] or ["it said nothing"]
    if "connect" in last[0].lower():
        return f"no Docker engine answers at {host}; {_GET_ENGINE}"
    return f"docker: {last[0]}"


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
