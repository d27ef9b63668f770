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
TimeScale = Annotated[
    float,
    typer.Option(
        metavar="FACTOR",
        help="Multiply every duration and divide every rate by this.",
        min=0.001,
        max=1.0,
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
