"""Collect chaos scenarios under pytest; the only module that pytest loads in every session.

It imports `harness` when a scenario file is met and not before, and only if `harness` is the one
that was installed together with this module: a repository may well have a `harness` of its own, and
a plugin that fails to import would take every test run there down.
"""

import argparse
import fnmatch
import importlib
import importlib.util
import os
from collections.abc import Generator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _time_scale(text: str) -> float:
    """Return the factor that an option gives."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"expected a factor in (0, 1], got {text}")
    return value


_DEFAULT_PATTERN = "*.chaos.yaml"
_PLUGIN = "harness.pytest_plugin"
_FOREIGN = pytest.StashKey[str]()
_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("seed", {"type": int, "metavar": "N", "help": "seed of every random choice of a run"}),
    (
        "time-scale",
        {"type": _time_scale, "metavar": "X", "help": "factor on all durations, in (0, 1]"},
    ),
    ("environment", {"metavar": "NAME", "help": "where runs take place, e.g. processes"}),
    ("proxy", {"metavar": "NAME", "help": "embedded or toxiproxy"}),
    ("report-dir", {"metavar": "DIR", "help": "write histories and reports below this folder"}),
)
_SHORT = ("time-scale", "environment", "proxy")  # also without the prefix, where nobody has them


class ChaosHooks:
    """Hooks for conftest files and other plugins."""

    @pytest.hookspec(firstresult=True)
    def pytest_chaos_composition(self, config: pytest.Config) -> Any:
        """Return what loads and runs scenarios, an object like `harness.composition`.

        That is the default; another one may know more faults and checks.
        """

    def pytest_chaos_progress(self, config: pytest.Config, progress: Any) -> None:
        """Take a sign of life of a run, in the main process: a `harness.model.run.Progress`."""

    def pytest_chaos_finished(self, config: pytest.Config, report: Any) -> None:
        """Take the report of a run, in the main process: a `harness.reporting.RunReport`."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our hooks, so that conftest files may implement them."""
    pluginmanager.add_hookspecs(ChaosHooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options, all with a prefix, so that they are nobody else's."""
    group = parser.getgroup("chaos", "chaos scenarios")
    for name, about in _OPTIONS:
        group.addoption(f"--chaos-{name}", default=None, **about)
    parser.addini(
        "chaos_patterns",
        type="args",
        default=[_DEFAULT_PATTERN],
        help=f"names of scenario files (default: {_DEFAULT_PATTERN})",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, Any, Any]:
    """Add the short options after all others had their turn: who came first keeps the name."""
    result = yield
    about = dict(_OPTIONS)
    group = parser.getgroup("chaos")
    for name in _SHORT:
        if _is_free(parser, f"--{name}"):
            text = {**about[name], "help": argparse.SUPPRESS}
            group.addoption(f"--{name}", dest=f"chaos_{name.replace('-', '_')}", **text)
    return result


def _is_free(parser: pytest.Parser, flag: str) -> bool:
    """Say whether nobody has an option of this name; the parser is asked as a user would."""
    try:
        _, unknown = parser.parse_known_and_unknown_args([f"{flag}=0"])
    except (pytest.UsageError, SystemExit):  # somebody has it, and does not like the value
        return False
    return bool(unknown)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a scenario file."""
    if not _is_scenario(parent.config, file_path.name):
        return None
    plugin = _plugin(parent.config)
    if plugin is None:
        return None
    collector: pytest.Collector = plugin.collect_file(file_path, parent)
    return collector


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute scenarios so that a crashed worker neither hangs the session nor hides them."""
    if _foreign_path() is not None:
        return None
    return importlib.import_module("harness.pytest_support.distribution").scheduler(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """Load the plugin in the main process too, which collects nothing under pytest-xdist."""
    config = node.config
    if any(_is_scenario(config, _file_of(nodeid)) for nodeid in ids):
        plugin = _plugin(config)
        if plugin is not None:
            plugin.plan(config, ids)


@pytest.hookimpl(tryfirst=True)
def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Load the plugin in the main process when a worker could not read a scenario file."""
    config = getattr(getattr(report, "node", None), "config", None) or _session_config()
    if config is None or not report.failed or not _is_scenario(config, _file_of(report.nodeid)):
        return
    plugin = _plugin(config)
    if plugin is not None:
        plugin.note_collection_error(config, report)


_configs: list[pytest.Config] = []  # the hook for collection reports is not given the config


def _session_config() -> pytest.Config | None:
    return _configs[-1] if _configs else None


def pytest_configure(config: pytest.Config) -> None:
    """Remember the session's configuration."""
    _configs.append(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Forget it."""
    if config in _configs:
        _configs.remove(config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the notice about a foreign `harness` from a worker to the main process."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and _FOREIGN in session.config.stash:
        output["atlas_chaos_foreign"] = session.config.stash[_FOREIGN]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:  # noqa: ARG001 -- pytest passes by name
    """Take the notice of a worker."""
    output = getattr(node, "workeroutput", None) or {}
    if "atlas_chaos_foreign" in output:
        node.config.stash[_FOREIGN] = output["atlas_chaos_foreign"]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say in one line that scenarios were left alone, and why."""
    path = config.stash.get(_FOREIGN, None)
    if path is not None:
        terminalreporter.write_line(
            f"atlas-chaos: scenario files were not collected, because 'harness' is {path} here; "
            "run them with the command atlas-chaos",
            yellow=True,
        )


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0].rpartition("/")[2]


def _is_scenario(config: pytest.Config, name: str) -> bool:
    patterns: list[str] = config.getini("chaos_patterns")
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _foreign_path() -> str | None:
    """Return where `harness` is if it is not ours; it is looked for and not imported."""
    try:
        spec = importlib.util.find_spec("harness")
    except ValueError:  # a module without a spec, put there by hand
        return "a module without a file"
    if spec is None:
        return "not installed"
    ours = Path(__file__).resolve().parent / "harness" / "__init__.py"
    if spec.origin is not None and Path(spec.origin).resolve() == ours:
        return None
    return os.path.relpath(spec.origin) if spec.origin else "a folder without __init__.py"


def _plugin(config: pytest.Config) -> ModuleType | None:
    """Return the plugin itself, registered; None if `harness` is somebody else's."""
    foreign = _foreign_path()
    if foreign is not None:
        config.stash[_FOREIGN] = foreign
        return None
    plugin = importlib.import_module(_PLUGIN)
    if not config.pluginmanager.is_registered(plugin):
        config.pluginmanager.register(plugin, "atlas_chaos_scenarios")
    return plugin
