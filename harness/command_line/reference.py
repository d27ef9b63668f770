"""Write the reference page of the command line from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from harness.command_line.app import app
from harness.command_line.meanings import EXIT_CODES

_INTRODUCTION = """\
`atlas-chaos COMMAND --help` says the same. This page is made from the commands themselves."""
_ORDER = (
    ("First steps", ("init", "explain", "schema")),
    ("Scenarios", ("run", "list", "validate", "plan", "judge", "compare", "trend")),
    ("A system alone", ("up", "down")),
    ("This machine", ("doctor", "clean")),
)
"""The groups of the page; a command that is in none of them is an error."""


def cli_page() -> str:
    """Return the page.

    Raises:
        KeyError: If a command is in no group, or a group names one that does not exist.
    """
    commands: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    parts = ["# Command line", _INTRODUCTION]
    for heading, names in _ORDER:
        parts.append(f"## {heading}")
        parts += [part for name in names for part in _command(name, commands.pop(name))]
    if commands:
        raise KeyError(f"commands without a group on the page: {', '.join(commands)}")
    return "\n\n".join([*parts, *_exit_codes()]) + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"### `atlas-chaos {name}`"
    yield from command.help.split("\n\n")
    rows = [_row(parameter) for parameter in command.params]
    if rows:
        yield "\n".join(["| argument or option | default | meaning |", "|---|---|---|", *rows])


def _row(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.opts)
    if parameter.param_type_name == "argument":
        names = f"`{parameter.metavar}{'...' if parameter.nargs < 0 else ''}`"
    elif parameter.metavar:
        names += f" `{parameter.metavar}`"
    return f"| {names} | {_default(parameter)} | {parameter.help} |"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return str(parameter.show_default)
    if parameter.default is None or parameter.default is False:
        return ""
    return f"`{parameter.default}`"


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes"
    rows = [f"| {int(code)} | {text} |" for code, text in EXIT_CODES.items()]
    yield "\n".join(["| code | when |", "|---|---|", *rows])
    yield "`make` turns every failure into its own 2: through it only zero or not means anything."
