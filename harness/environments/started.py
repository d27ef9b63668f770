"""A system that an environment has started: what its run asks of it."""

from collections.abc import Mapping
from pathlib import Path

from harness.environments.guard import Guard
from harness.environments.network import ProxiedNetwork
from harness.environments.prometheus import Prometheus
from harness.environments.start import Start
from harness.model.fault import Capabilities


class StartedSystem:
    """A started system, in whatever its services run.

    Args:
        start: Its start.
        capabilities: What faults may act with.
        network: Its links, which the fault proxy carries.
        guard: Its watchdog.
        watching: The Prometheus that watches it, if the scenario has alerts.
    """

    def __init__(
        self,
        start: Start,
        *,
        capabilities: Capabilities,
        network: ProxiedNetwork,
        guard: Guard,
        watching: Prometheus | None,
    ) -> None:
        self._start = start
        self._capabilities = capabilities
        self._network = network
        self._guard = guard
        self._watching = watching

    @property
    def capabilities(self) -> Capabilities:
        """Return what faults may act with."""
        return self._capabilities

    def address(self, service: str) -> str:
        """Return `host:port` of a service, not through a proxy."""
        return f"127.0.0.1:{self._start.port(service)}"

    def environment(self, name: str) -> Mapping[str, str]:
        """Return the environment variables of a further process of the run."""
        return self._start.environment(name)

    def event_files(self) -> Mapping[str, Path]:
        """Return the event files written so far, keyed by `<service>.<incarnation>`."""
        return {path.stem: path for path in sorted(self._start.events.glob("*.ndjson"))}

    def check_alive(self) -> None:
        """Raise if watchdog, fault proxy or Prometheus has died: then we broke, not the system."""
        self._guard.check_alive()
        self._network.check_alive()
        if self._watching is not None:
            self._watching.check_alive()
