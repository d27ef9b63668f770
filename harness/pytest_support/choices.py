"""What the options of a pytest session choose for its runs."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Protocol

import pytest

from harness.model.run import Environment, Listener, RunResult, default_time_scale
from harness.model.scenario import Scenario

# A test that failed has to fail again, so the seed is fixed unless somebody chooses another one.
DEFAULT_SEED = 42
DEFAULT_FOLDER = Path("reports") / "pytest"


class Composition(Protocol):
    """What loads and runs scenarios: `harness.composition`, or what a conftest file gives."""

    @property
    def RunChoices(self) -> Callable[..., Any]:  # noqa: N802 -- the name of a class
        """Return what makes the choices of a suite from the fields of `Choices`."""
        ...

    def load(self, paths: Sequence[Path]) -> list[Scenario]:
        """Return the scenarios of files, raising `FileProblems` with every problem in them."""
        ...

    def suite_environment(self, choices: Any) -> AbstractAsyncContextManager[Environment]:
        """Return where all runs of a session take place; leaving removes what they shared."""
        ...

    async def run_one(
        self,
        scenario: Scenario,
        choices: Any,
        *,
        was_named: bool,
        environment: Environment,
        listener: Listener,
    ) -> RunResult:
        """Run a scenario and return what it came to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The choices of a session, the same for all of its runs."""

    environment: str
    proxy: str
    seed: int
    time_scale: float
    report_dir: Path


def choices_of(config: pytest.Config) -> Choices:
    """Return the choices with defaults for options that were not given."""
    seed = config.getoption("chaos_seed")
    environment = config.getoption("chaos_environment") or "processes"
    time_scale = config.getoption("chaos_time_scale")
    folder = config.getoption("chaos_report_dir")
    return Choices(
        environment=environment,
        proxy=config.getoption("chaos_proxy") or "",
        seed=DEFAULT_SEED if seed is None else seed,
        time_scale=default_time_scale(environment) if time_scale is None else time_scale,
        report_dir=(
            config.invocation_params.dir / folder if folder else config.rootpath / DEFAULT_FOLDER
        ),
    )


def composition_of(config: pytest.Config) -> Composition:
    """Return what loads and runs scenarios in this session."""
    found: Composition = config.hook.pytest_chaos_composition(config=config)
    return found


def is_main(config: pytest.Config) -> bool:
    """Say whether this is the process that the user started, and not a worker of pytest-xdist."""
    return not hasattr(config, "workerinput")


def is_ours(config: pytest.Config, nodeid: str) -> bool:
    """Say whether a node id is one of a scenario file."""
    name = nodeid.partition("::")[0].rpartition("/")[2]
    return any(fnmatch(name, pattern) for pattern in config.getini("chaos_patterns"))


def was_named(config: pytest.Config, path: Path) -> bool:
    """Say whether the user named the file, and not a folder that it was found in."""
    names = [argument.partition("::")[0] for argument in config.args]
    folder = config.invocation_params.dir
    return any((folder / name).resolve() == path.resolve() for name in names)
