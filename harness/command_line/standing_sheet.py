"""What a user needs to know about a system that is up, as text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.command_line.curl_examples import curl_examples
from harness.composition import load
from harness.environments.standing import Standing
from harness.model.errors import FileProblems
from harness.model.scenario import Scenario
from harness.model.system import ServiceKind, System
from harness.scenario_files import discover, load_system

_BESIDE_MAX = 100  # scenario files beside a system that are read for the requests in them


def addresses(standing: Standing, system: System) -> str:
    """Return where everything is: services, links, proxy, token, folders."""
    rows = [(name, _url(system, name, at)) for name, at in standing.services.items()]
    rows += [(link, f"{at}  (through the fault proxy)") for link, at in standing.links.items()]
    rows += [
        ("fault proxy", f"http://{standing.proxy}"),
        ("chaos token", standing.token),
        ("events", f"{_shown(standing.folder)}/events"),
        ("logs", f"{_shown(standing.folder)}/logs"),
    ]
    head = f"{standing.system} is up (run {standing.run_id}, time scale {standing.time_scale:g})"
    return "\n".join([head, *_columns(rows)]) + "\n"


def examples(standing: Standing, system: System) -> str:
    """Return commands to paste, each under what it does."""
    told = curl_examples(standing, system, _scenarios_of(system))
    return "try\n" + "\n".join(f"  # {what}\n  {command}" for what, command in told) + "\n"


def sheet(standing: Standing) -> str:
    """Return all of it."""
    system = load_system(Path(standing.path))
    return f"{addresses(standing, system)}\n{examples(standing, system)}"


def _url(system: System, name: str, address: str) -> str:
    service = system.service(name)
    if service.kind is ServiceKind.POSTGRESQL:
        return f"postgresql://{service.database}@{address}/{service.database}"
    return f"http://{address}"


def _columns(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in rows)
    return (f"  {name:<{width}}  {value}" for name, value in rows)


def _shown(folder: str) -> str:
    """Return a folder as one types it from here."""
    path, here = Path(folder), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _scenarios_of(system: System) -> list[Scenario]:
    """Return the scenarios beside a system's file that are about it; broken ones are left out."""
    found = []
    for file in discover([system.path.parent])[:_BESIDE_MAX]:
        try:
            found += load([file])
        except FileProblems:
            continue  # `validate` tells; whoever looks at a system has not asked
    return [one for one in found if one.system.path.resolve() == system.path.resolve()]
