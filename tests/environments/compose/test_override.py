"""The override file says what differs in a run, and nothing is added to what it replaces."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from harness.environments.compose.override import Difference, override_text
from harness.environments.compose.stack import ContainerSpec, Stack

STACK = Stack(
    file=Path("c.yml"),
    services={"api": ContainerSpec(name="api", image="i", port=8080)},
    networks=("inside",),
    volumes=("db",),
)


def written(**changes) -> str:
    values = {"published": 12345, "environment": {}, "user": None} | changes
    return override_text(STACK, {"api": Difference(**values)}, {"atlas-chaos.run": "r-1"})


def parsed(**changes) -> dict:
    return YAML(typ="rt").load(written(**changes))


def test_a_service_is_published_on_loopback_in_place_of_the_files_own_ports():
    ports = parsed()["services"]["api"]["ports"]

    assert str(ports.tag.value) == "!override"
    assert list(ports) == ["127.0.0.1:12345:8080"]


def test_a_service_that_nobody_has_to_reach_is_published_nowhere():
    assert list(parsed(published=None)["services"]["api"]["ports"]) == []


def test_healthchecks_are_off():
    assert dict(parsed()["services"]["api"]["healthcheck"]) == {"disable": True}


def test_containers_networks_and_volumes_carry_the_labels():
    document = parsed()

    told = [
        document["services"]["api"]["labels"],
        document["networks"]["inside"]["labels"],
        document["volumes"]["db"]["labels"],
    ]
    assert [dict(one) for one in told] == [{"atlas-chaos.run": "r-1"}] * 3


@pytest.mark.parametrize("text", ["a: b", "'", '"', "#x", "{y}", "0", "é\n"])
def test_values_reach_the_service_as_they_are(text):
    environment = parsed(environment={"KEY": text})["services"]["api"]["environment"]

    assert environment["KEY"] == text


def test_compose_replaces_nothing_in_a_value():
    environment = parsed(environment={"KEY": "${HOME} $1"})["services"]["api"]["environment"]

    assert environment["KEY"] == "$${HOME} $$1"


def test_a_variable_is_taken_away_by_none():
    assert json.dumps({"KEY": None}) in written(environment={"KEY": None})


def test_the_user_is_left_to_the_image_unless_one_is_given():
    assert "user" not in parsed()["services"]["api"]
    assert parsed(user="1000:1000")["services"]["api"]["user"] == "1000:1000"
