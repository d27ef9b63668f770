"""The command `schema`: JSON Schema of both kinds of file, for editors."""

import json
import sys
from pathlib import Path

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.command_line.exit_codes import ExitCode, end_with
from harness.scenario_files import json_schema, system_json_schema

KINDS = ("scenario", "system")


def schema_text(kind: str) -> str:
    """Return the JSON Schema of scenario or system files as text."""
    schema = json_schema(FAULTS, CHECKS) if kind == "scenario" else system_json_schema()
    return json.dumps(schema, indent=2) + "\n"


def show_schema(kind: str, file: Path | None) -> None:
    """Print a schema, or write it and say which line points an editor at it."""
    if kind not in KINDS:
        sys.stderr.write(f"no schema {kind!r}; expected one of {', '.join(KINDS)}\n")
        end_with(ExitCode.USAGE)
    text = schema_text(kind)
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"cannot write {file}: {error.strerror or error}\n")
        end_with(ExitCode.USAGE)
    sys.stdout.write(
        f"wrote {file}\nthe first line of a {kind} file points an editor at it, by its path from "
        f"there:\n# yaml-language-server: $schema={file.name}\n"
    )
