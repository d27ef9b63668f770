"""The commands, their options and their help; what they do is in the modules beside this one."""

from pathlib import Path
from typing import Annotated

import typer

from harness.command_line.options import (
    EnvironmentName,
    Keyword,
    Paths,
    Proxy,
    ReportDir,
    Seed,
    SuiteTimeScale,
    TimeScale,
    Workers,
)

app = typer.Typer(
    name="atlas-chaos",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # boxes leave half of 80 columns to the words, and cost 30 ms
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Break a running system on purpose and say, with evidence, whether it coped.\n\n"
        "Start with: atlas-chaos init, then atlas-chaos run chaos\n\n"
        "Exit codes: 0 passed, 1 failed, 2 inconclusive, 3 harness error, 4 usage or file error, "
        "130 interrupted."
    ),
)


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write into; made if it is not there.")
    ] = Path("chaos"),
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A service of this host that runs already, to test instead."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write a first scenario that runs at once, for you to change."""
    from harness.command_line.init_command import write_starter

    write_starter(folder, url=url, force=force)


@app.command()
def run(  # noqa: PLR0913, PLR0917 -- the options of a command line
    paths: Paths = None,
    keyword: Keyword = None,
    environment: EnvironmentName = "processes",
    proxy: Proxy = "",
    time_scale: SuiteTimeScale = None,
    seed: Seed = None,
    report_dir: ReportDir = Path("reports/latest"),
    workers: Workers = 1,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave the system of the one run running; 'down' stops it."),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON instead of tables.")
    ] = False,
) -> None:
    """Run scenarios and say, with evidence, whether the system coped."""
    from harness.command_line.run_command import RunOptions, run_suite
    from harness.command_line.selection import selected

    options = RunOptions(
        scenarios=selected(paths, keyword),
        environment=environment,
        proxy=proxy,
        time_scale=time_scale,
        seed=seed,
        report_dir=report_dir,
        workers=workers,
        keep=keep,
        json_output=json_output,
    )
    run_suite(options)


@app.command()
def up(
    system: Annotated[
        str | None,
        typer.Argument(
            metavar="SYSTEM",
            help="System file, a folder that holds one, or a name in scenarios/.",
            show_default="the only one in scenarios/",
        ),
    ] = None,
    proxy: Proxy = "embedded",
    time_scale: TimeScale = 1.0,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", help="Ports and tokens derive from it.")
    ] = 0,
    report_dir: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Events and logs go into a folder of the system's name in here."
        ),
    ] = Path("reports/up"),
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when it is up; 'down' stops it.")
    ] = False,
) -> None:
    """Start a system alone, to reach and break it by hand.

    It runs until Ctrl-C, or in the background with --detach, until 'down'.
    """
    from harness.command_line.standing_commands import UpOptions, start_system

    start_system(
        UpOptions(
            system=system,
            proxy=proxy,
            time_scale=time_scale,
            seed=seed,
            report_dir=report_dir,
            detach=detach,
        )
    )


@app.command()
def down(
    system: Annotated[
        str | None,
        typer.Argument(metavar="SYSTEM", help="Name of one system; else all that are up."),
    ] = None,
) -> None:
    """Stop what 'up' or 'run --keep' left standing."""
    from harness.command_line.standing_commands import stop_systems

    stop_systems(system)


@app.command("list")
def list_scenarios(paths: Paths = None, keyword: Keyword = None) -> None:
    """List scenarios with their claims, faults and tags."""
    from harness.command_line.inspect_commands import show_list
    from harness.command_line.selection import selected

    show_list(selected(paths, keyword))


@app.command()
def validate(paths: Paths = None) -> None:
    """Check files; print every problem as file:line:col."""
    from harness.command_line.inspect_commands import show_valid
    from harness.command_line.selection import selected

    show_valid(selected(paths, None))


@app.command()
def plan(
    paths: Paths = None,
    keyword: Keyword = None,
    environment: EnvironmentName = "processes",
    proxy: Proxy = "",
    time_scale: SuiteTimeScale = None,
) -> None:
    """Show each timeline as lanes, with expected samples."""
    from harness.command_line.inspect_commands import show_plans
    from harness.command_line.selection import selected

    show_plans(
        selected(paths, keyword), environment=environment, proxy=proxy, time_scale=time_scale
    )


@app.command()
def judge(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a run, e.g. reports/latest/runs/NAME.")
    ],
    scenario: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Judge by this scenario file instead of the one that was run."
        ),
    ] = None,
) -> None:
    """Judge a saved run again, from its history alone."""
    from harness.command_line.inspect_commands import judge_again

    judge_again(folder, scenario)


@app.command()
def explain(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Names of faults, checks, findings, verdicts, or exit codes.",
            show_default="all, one line each",
        ),
    ] = None,
) -> None:
    """Tell what a fault, check, verdict or exit code is."""
    from harness.command_line.explain_command import explain as tell

    tell(names or [])


@app.command()
def schema(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="Kind of file: scenario or system.")
    ] = "scenario",
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to a file instead.")
    ] = None,
) -> None:
    """Print the JSON Schema of scenario or system files, for editors."""
    from harness.command_line.schema_command import show_schema

    show_schema(kind, write)


@app.command()
def compare(
    before: Annotated[
        Path,
        typer.Argument(metavar="BEFORE", help="Folder of a run, or of a suite's reports."),
    ],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The later one.")],
    json_output: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of tables.")
    ] = False,
) -> None:
    """Compare two runs or suites: 0 no regression, 1 a regression, 2 nobody can tell."""
    from harness.command_line.compare_command import compare_folders

    compare_folders(before, after, json_output=json_output)


@app.command()
def trend(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER", help="Report folders, or folders that hold such: reports/nightly-*."
        ),
    ],
    keyword: Keyword = None,
    last: Annotated[
        int,
        typer.Option(metavar="NUMBER", help="Newest runs of each scenario to show.", min=2),
    ] = 10,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of tables.")
    ] = False,
) -> None:
    """Show many runs over time, and whether the newest is worse: exit codes as of 'compare'.

    Keep the report folder of each night, e.g. run --report-dir reports/nightly-42. The newest run
    of each scenario is compared with the five before it; what is worse than most of them is a
    regression. One odd night is none.
    """
    from harness.command_line.trend_command import show_trend

    show_trend(folders, keyword=keyword, last=last, json_output=json_output)


@app.command()
def clean(
    force: Annotated[
        bool, typer.Option("--force", help="Also stop runs whose harness is still alive.")
    ] = False,
) -> None:
    """Find and remove what killed runs left behind."""
    from harness.command_line.machine_commands import remove_leftovers

    remove_leftovers(force=force)


@app.command()
def doctor() -> None:
    """Say what this machine has, and which faults it can inject."""
    from harness.command_line.machine_commands import show_machine

    show_machine()
