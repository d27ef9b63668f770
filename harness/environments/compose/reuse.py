"""Whether what Compose made for one run can serve the next one, and which state it has to be in.

Containers are made anew for each run, so only volumes could carry something over. That of a
PostgreSQL can be put back to what the one-shots left in it; no other one can.
"""

import json

from harness.environments.compose.stack import Stack
from harness.model.run import RunSettings
from harness.model.scenario import Scenario
from harness.model.system import ServiceKind


def databases_of(scenario: Scenario) -> list[str]:
    """Return the services of a scenario that are PostgreSQL servers."""
    system = scenario.system
    return [
        name for name in scenario.services() if system.service(name).kind is ServiceKind.POSTGRESQL
    ]


def preparation_of(scenario: Scenario, stack: Stack, settings: RunSettings) -> str | None:
    """Return what the database of a run is prepared by; runs with the same may share a project.

    Args:
        scenario: The scenario.
        stack: The Compose file.
        settings: How it is run.

    Returns:
        Empty without a database; None if nobody can put back what the run leaves.
    """
    databases = databases_of(scenario)
    made = [*scenario.services(), *stack.one_shots(scenario.services())]
    others = [name for name in made if name not in databases]
    if len(databases) > 1 or any(stack.services[name].mounts for name in others):
        return None
    if not databases:
        return ""
    [database] = databases
    shots = _shots_before(database, scenario, stack)
    if not shots:
        return None
    variables = dict(scenario.variables.get(database, {}))
    return json.dumps(
        [str(scenario.system.path), shots, variables, settings.seed, settings.time_scale]
    )


def _shots_before(database: str, scenario: Scenario, stack: Stack) -> tuple[str, ...]:
    """Return the one-shots that alone fill a database before anybody uses it; or none."""
    names = scenario.services()
    sets = {stack.services[name].one_shots for name in names} - {()}
    clients = [name for name in names if database in scenario.system.upstreams(name)]
    if len(sets) != 1 or not all(stack.services[name].one_shots for name in clients):
        return ()
    [shots] = sets
    is_alone = all(stack.services[shot].waits_for == (database,) for shot in shots)
    return shots if is_alone else ()
