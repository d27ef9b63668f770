"""The command `init`: a scenario and a system that run at once, for a user to change."""

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import NoReturn
from urllib.parse import urlsplit

from harness.command_line.exit_codes import ExitCode, end_with
from harness.command_line.schema_command import schema_text
from harness.composition import load
from harness.scenario_files import SCENARIO_SUFFIX, SYSTEM_SUFFIX

_STARTER = "harness.command_line.starter"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NOQA = re.compile(r"  # noqa: .*$", re.MULTILINE)  # words to our linter, not to a user's


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """What is written for a user.

    Args:
        scenario: Template of the scenario and the name that it gets.
        system: Template of the system and the name that it gets.
        programs: Python files that are copied beside them.
        values: What replaces the names in the templates.
    """

    scenario: tuple[str, str]
    system: tuple[str, str]
    programs: tuple[str, ...]
    values: Mapping[str, str]


def write_starter(folder: Path, *, url: str | None, force: bool) -> None:
    """Write a starter into a folder, check that it can be read, and say how to go on."""
    starter = _greetings() if url is None else _for_url(url)
    texts = _texts(starter, folder)
    _refuse_to_overwrite([folder / name for name in texts], force=force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {folder / name}\n")
    except OSError as error:
        sys.stderr.write(f"cannot write into {folder}: {error.strerror or error}\n")
        end_with(ExitCode.USAGE)
    load([folder / f"{starter.scenario[1]}{SCENARIO_SUFFIX}"])
    where = shlex.quote(str(folder))
    sys.stdout.write(
        f"\nnext:\n  atlas-chaos run {where}\n  atlas-chaos explain {starter.values['fault']}\n"
    )


def _greetings() -> Starter:
    return Starter(
        scenario=("scenario.yaml", "greetings_survive_late_names"),
        system=("system.yaml", "greetings"),
        programs=("greeter.py", "names.py"),
        values={"fault": "latency"},
    )


def _for_url(url: str) -> Starter:
    address, path = _parsed(url)
    return Starter(
        scenario=("url_scenario.yaml", "late_answers_turn_nobody_away"),
        system=("url_system.yaml", "my_service"),
        programs=("relay.py",),
        values={"fault": "latency", "address": address, "path": path},
    )


def _parsed(url: str) -> tuple[str, str]:
    """Return `host:port` and the path of a URL on this host; end with 4 if it is another one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        _refuse_url(f"{url!r}: {error}")
    if port is None or parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        _refuse_url(repr(url))
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.hostname}:{port}", f"{parts.path or '/'}{query}"


def _refuse_url(got: str) -> NoReturn:
    example = "http://127.0.0.1:8080/health"
    sys.stderr.write(f"--url: expected a service of this host such as '{example}', got {got}\n")
    end_with(ExitCode.USAGE)


def _texts(starter: Starter, folder: Path) -> dict[str, str]:
    """Return the text of each file by its name."""
    values = {**starter.values, "folder": _from_here(folder), "system": starter.system[1]}
    return {
        f"{starter.scenario[1]}{SCENARIO_SUFFIX}": _filled(starter.scenario[0], values),
        f"{starter.system[1]}{SYSTEM_SUFFIX}": _filled(starter.system[0], values),
        **{name: _NOQA.sub("", _template(name)) for name in starter.programs},
        "scenario.schema.json": schema_text("scenario"),
        "system.schema.json": schema_text("system"),
    }


def _filled(name: str, values: Mapping[str, str]) -> str:
    return Template(_template(name)).substitute(values)


def _template(name: str) -> str:
    return files(_STARTER).joinpath(name).read_text(encoding="utf-8")


def _from_here(folder: Path) -> str:
    """Return how a command line names a folder: from here, if it is below, else in full."""
    full, here = folder.resolve(), Path.cwd()
    return shlex.quote(str(full.relative_to(here) if full.is_relative_to(here) else full))


def _refuse_to_overwrite(paths: list[Path], *, force: bool) -> None:
    there = [path for path in paths if path.exists()]
    if there and not force:
        more = f" and {len(there) - 1} more of these files" if len(there) > 1 else ""
        sys.stderr.write(
            f"{there[0]}{more} exist already; name another folder, or overwrite with --force\n"
            "nothing was written\n"
        )
        end_with(ExitCode.USAGE)
