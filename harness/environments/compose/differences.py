"""What the containers of one run have of their own: ports, variables, user and labels."""

import os
from collections.abc import Mapping

from harness.environments import labelled
from harness.environments.compose.clocks import preloaded
from harness.environments.compose.override import Difference
from harness.environments.compose.stack import PROXIES, Stack
from harness.environments.start import Start
from harness.model.system import EventSource


def differences_of(start: Start, stack: Stack, helpers: Mapping[str, int]) -> dict[str, Difference]:
    """Return what each container of a run has of its own.

    Args:
        start: The start of the run.
        stack: The Compose file.
        helpers: Ports on loopback of the services that serve the harness.
    """
    names = start.scenario.services()
    published = {name: start.port(name) for name in names} | dict(helpers)
    return {
        name: Difference(
            published=published.get(name),
            environment={
                **(_environment(start, name) if stack.services[name].has_events else {}),
                **preloaded(start.scenario, name),
            },
            user=f"{os.getuid()}:{os.getgid()}" if stack.services[name].has_events else None,
        )
        for name in stack.made_for(names, list(helpers))
    }


def _environment(start: Start, name: str) -> dict[str, str | None]:
    """Return the variables of a service; what the scenario says counts most."""
    told = start.environment("proxy" if name in PROXIES.values() else name)
    own: dict[str, str | None] = {
        key: told[key] for key in ("ATLAS_CHAOS_TOKEN", "ATLAS_SEED", "ATLAS_TIME_SCALE")
    }
    if name not in start.scenario.services():
        return own
    service = start.scenario.system.service(name)
    if service.events is not EventSource.FILE:
        own["ATLAS_EVENT_DIR"] = None  # or what it streams would be told twice
    return {**own, **service.environment, **start.scenario.variables.get(name, {})}


def labels_of(start: Start) -> dict[str, str]:
    """Return the labels of all that a run makes."""
    return {
        labelled.RUN_LABEL: start.settings.run_id,
        labelled.OWNER_LABEL: labelled.owner(),
        "atlas-chaos.system": start.scenario.system.name,
    }
