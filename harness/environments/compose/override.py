"""The file that a run lays over the user's Compose file: what differs from run to run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.environments.compose.stack import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one service has in a run.

    Args:
        published: Its port on loopback; None if nobody has to reach it.
        environment: Variables on top of the file's; None takes one away.
        user: `uid:gid` to run as; None leaves the image's.
    """

    published: int | None
    environment: Mapping[str, str | None]
    user: str | None


def override_text(
    stack: Stack, differences: Mapping[str, Difference], labels: Mapping[str, str]
) -> str:
    """Return the override file.

    Lists are replaced, since Compose would append to them: a service must be published on the
    ports of its run alone. Healthchecks are off, because the harness asks for itself, and a
    probe in every container takes from the processors that the services need.

    Args:
        stack: What is laid over.
        differences: By service, of all services that are made.
        labels: Labels of all that is made: containers, networks and volumes.
    """
    lines = ["services:"]
    for name, one in differences.items():
        lines += [f"  {json.dumps(name)}:", *_service(one, stack.services[name].port, labels)]
    for kind, names in (("networks", stack.networks), ("volumes", stack.volumes)):
        lines += [f"{kind}:", *(_labelled(name, labels) for name in names)]
    return "\n".join(lines) + "\n"


def _labelled(name: str, labels: Mapping[str, str]) -> str:
    """Return the line of a network or volume.

    Its labels are replaced: Compose 2.40 stumbles over labels that several volumes of the user's
    file share by an alias, and to which some are added ("labels must be a mapping").
    """
    escaped = json.dumps({key: _escaped(text) for key, text in labels.items()})
    return f"  {json.dumps(name)}: {{labels: !override {escaped}}}"


def _service(one: Difference, port: int, labels: Mapping[str, str]) -> list[str]:
    """Return the lines of one service; JSON is YAML, so values need no writer of YAML."""
    ports = [] if one.published is None else [f"127.0.0.1:{one.published}:{port}"]
    values = {
        "ports": f"!override {json.dumps(ports)}",
        "healthcheck": '!override {"disable": true}',
        "environment": json.dumps({key: _escaped(text) for key, text in one.environment.items()}),
        "labels": json.dumps({key: _escaped(text) for key, text in labels.items()}),
    }
    if one.user is not None:
        values["user"] = json.dumps(one.user)
    return [f"    {key}: {value}" for key, value in values.items()]


def _escaped(text: str | None) -> str | None:
    """Return a text in which Compose replaces nothing."""
    return None if text is None else text.replace("$", "$$")
