"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATHS",
        help="Scenario files, or folders to search for *.chaos.yaml.",
        show_default="scenarios",
    ),
]
Keyword = Annotated[
    str | None,
    typer.Option(
        "-k", metavar="WORDS", help="Only scenarios whose name or tags match: 'api and not slow'."
    ),
]
_TIME_SCALE = "Multiply every duration and divide every rate by this."
TimeScale = Annotated[float, typer.Option(metavar="FACTOR", help=_TIME_SCALE, min=0.001, max=1.0)]
SuiteTimeScale = Annotated[
    float | None,
    typer.Option(
        "--time-scale",
        metavar="FACTOR",
        help=_TIME_SCALE,
        min=0.001,
        max=1.0,
        show_default="0.1; in containers 0.2",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER",
        help="Seed of every random choice; printed, and drawn from the clock if not given.",
    ),
]
EnvironmentName = Annotated[str, typer.Option(metavar="NAME", help="Where runs take place.")]
Proxy = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Fault proxy: embedded, or toxiproxy for the real server.",
        show_default="embedded; in containers toxiproxy, if it can do all",
    ),
]
ReportDir = Annotated[
    Path,
    typer.Option(metavar="DIR", help="Folder for reports and histories of this suite; made anew."),
]
Workers = Annotated[
    int,
    typer.Option(
        "-n", "--workers", metavar="WORKERS", help="Runs at the same time.", min=1, max=16
    ),
]
