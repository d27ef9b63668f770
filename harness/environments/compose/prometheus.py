"""The Prometheus of a run in its container, which knows services by their names."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from harness.clock import Clock
from harness.environments.compose.engine import Engine
from harness.environments.compose.stack import Stack
from harness.environments.prometheus import Prometheus, site_of
from harness.environments.start import Start
from harness.model.alerting import Alerting
from harness.model.errors import HarnessError


class ContainedPrometheus:
    """A Prometheus that runs in a container of the run.

    Args:
        start: The start of the run.
        alerts: What the scenario says of it.
        stack: The Compose file.

    Raises:
        HarnessError: If the rules cannot be read or rendered any more.
    """

    def __init__(self, start: Start, alerts: Alerting, stack: Stack) -> None:
        targets = {
            name: f"{name}:{stack.services[name].port}" for name in start.scenario.services()
        }
        self.site = site_of(start, alerts, targets)
        self._log = start.logs / "prometheus.log"
        self._is_alive = True

    def write(self) -> None:
        """Write what it is told, for whatever user its image runs as."""
        for path in (self.site.write(), self.site.rules_file):
            path.chmod(0o644)
        self.site.settings.chmod(0o755)

    def died(self) -> None:
        """Take note that its container ended."""
        self._is_alive = False

    @asynccontextmanager
    async def started(
        self, engine: Engine, container: str, *, clock: Clock
    ) -> AsyncIterator[Prometheus]:
        """Start it, without waiting for it; it ends with the containers of the run."""
        await engine.start(container)
        asked = Prometheus(self.site, clock=clock, demand_alive=self._demand_alive)
        async with aclosing(asked):
            yield asked

    def _demand_alive(self) -> None:
        if not self._is_alive:
            raise HarnessError(
                f"the container of Prometheus has ended; what it said will be in {self._log}"
            )
