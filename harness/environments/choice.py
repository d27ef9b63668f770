"""Choose an environment by its name, for one run or for the runs of a suite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import Clock
from harness.environments.compose import ComposeEnvironment, Projects
from harness.environments.processes import ProcessesEnvironment
from harness.model.run import DEFAULT_PROXIES, Environment

PROXIES = tuple(kind.value for kind in ProxyKind)
# Each environment and the fault proxies that it can have, its own choice first.
PROXIES_OF = {
    environment: (default, *(name for name in PROXIES if name != default))
    for environment, default in DEFAULT_PROXIES.items()
}
ENVIRONMENTS = tuple(PROXIES_OF)


def make_environment(
    name: str, proxy: str, clock: Clock, projects: Projects | None = None
) -> Environment:
    """Return the environment called `name`; an empty `proxy` leaves that choice to it.

    Args:
        name: Its name.
        proxy: Name of the fault proxy.
        clock: Clock of the runs.
        projects: What runs in containers share; without it each run has its own.

    Raises:
        ValueError: If there is no such environment or proxy, naming those that exist.
    """
    if name not in ENVIRONMENTS:
        raise ValueError(f"no environment {name!r}; expected one of {', '.join(ENVIRONMENTS)}")
    if proxy and proxy not in PROXIES:
        raise ValueError(f"no proxy {proxy!r}; expected one of {', '.join(PROXIES)}")
    chosen = ProxyKind(proxy) if proxy else None
    if name == ComposeEnvironment.name:
        return ComposeEnvironment(clock=clock, proxy=chosen, projects=projects)
    return ProcessesEnvironment(clock=clock, proxy=chosen or ProxyKind.EMBEDDED)


@asynccontextmanager
async def shared_environment(name: str, proxy: str, clock: Clock) -> AsyncIterator[Environment]:
    """Give an environment whose runs share what they can; leaving removes what they shared.

    Raises:
        ValueError: As `make_environment` does.
        WorldNotClean: On leaving, if something is still there.
    """
    async with Projects(clock=clock) as projects:
        yield make_environment(name, proxy, clock, projects)
