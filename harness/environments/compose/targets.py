"""Find the containers that faults act on."""

from collections.abc import Mapping

from harness.environments.compose.containers import ServiceContainer
from harness.model.errors import FaultNotApplied


def started(services: Mapping[str, ServiceContainer], name: str) -> ServiceContainer:
    """Return the container of a service of the run, whether it runs at present or not.

    Raises:
        FaultNotApplied: If the run has no such service.
    """
    service = services.get(name)
    if service is None:
        raise FaultNotApplied(f"service {name!r} was not started in this run")
    return service


def running(services: Mapping[str, ServiceContainer], name: str) -> ServiceContainer:
    """Return the container of a service that runs.

    Raises:
        FaultNotApplied: If it does not, or was not started in this run.
    """
    service = services.get(name)
    if service is None or not service.is_running:
        raise FaultNotApplied(f"service {name!r} is not running in this run")
    return service
