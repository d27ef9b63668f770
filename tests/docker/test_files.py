"""The files of the containers say the same as the system file and the locked dependencies."""

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
PROXIES = {"toxiproxy", "fault_proxy"}
# What the harness does by other means.
NOT_SERVICES = {*PROXIES, "migrate", "db_disk", "prometheus"}


@pytest.fixture(scope="module")
def compose() -> dict:
    return YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def system() -> dict:
    return YAML(typ="safe").load((ROOT / "scenarios" / "shadow_atlas.system.yaml").read_text())


@pytest.fixture(scope="module")
def proxies() -> dict:
    listed = json.loads((ROOT / "docker" / "toxiproxy.json").read_text())
    return {each["name"]: each for each in listed}


def test_every_service_of_the_system_has_a_container(compose, system):
    assert set(compose["services"]) - NOT_SERVICES == set(system["services"])


def test_containers_run_the_commands_of_the_system(compose, system):
    for name, service in system["services"].items():
        if "command" in service:
            command = compose["services"][name]["command"]
            assert command.replace("python3", "python", 1) == service["command"], name


def test_every_link_of_the_system_has_a_proxy(proxies, system):
    assert set(proxies) == {link.replace(" -> ", "-") for link in system["links"]}


def test_every_link_leads_its_client_through_its_proxy_to_its_server(compose, proxies, system):
    for link, settings in system["links"].items():
        client, server = link.split(" -> ")
        proxy = proxies[f"{client}-{server}"]
        port = proxy["listen"].rpartition(":")[2]
        environment = compose["services"][client]["environment"]
        assert environment[settings["variable"]] == f"toxiproxy:{port}", link
        assert proxy["upstream"].partition(":")[0] == server, link


def test_both_proxies_have_one_configuration_and_one_name_for_clients(compose):
    vendors, ours = compose["services"]["toxiproxy"], compose["services"]["fault_proxy"]

    config = "./docker/toxiproxy.json:/etc/toxiproxy.json:ro"
    assert config in vendors["volumes"]
    assert config in ours["volumes"]
    assert ours["networks"]["clients"]["aliases"] == ["toxiproxy"]
    assert ours["profiles"] == ["embedded"]  # both at once would share the calls


def test_proxies_listen_on_ports_of_their_own(proxies):
    listens = [each["listen"] for each in proxies.values()]

    assert len(set(listens)) == len(listens)
    assert all(each.startswith("0.0.0.0:") for each in listens)


def test_ports_are_published_to_this_host_alone(compose):
    published = [p for each in compose["services"].values() for p in each.get("ports", [])]

    assert published
    assert [each for each in published if not each.startswith("127.0.0.1:")] == []


def test_only_the_proxies_are_in_the_networks_of_clients_and_servers(compose):
    in_both = {
        name
        for name, each in compose["services"].items()
        if {"clients", "servers"} <= set(each.get("networks", []))
    }

    assert in_both == PROXIES


def test_the_database_has_as_many_connections_as_in_the_system(compose, system):
    expected = system["services"]["db"]["max_connections"]

    assert f"max_connections={expected} " in compose["services"]["db"]["command"]


def test_the_disk_of_the_database_has_a_size_and_somebody_who_keeps_it(compose):
    server, keeper = compose["services"]["db"], compose["services"]["db_disk"]

    assert compose["volumes"]["db"]["driver_opts"]["type"] == "tmpfs"
    assert "size=" in compose["volumes"]["db"]["driver_opts"]["o"]
    assert keeper["volumes"] == server["volumes"]
    assert server["environment"]["PGDATA"].startswith(f"{server['volumes'][0]['target']}/")
    assert server["depends_on"] == {"db_disk": {"condition": "service_started"}}


def test_prometheus_scrapes_containers_where_they_listen(compose):
    settings = YAML(typ="safe").load((ROOT / "monitoring" / "prometheus.yml").read_text())

    targets = {
        job["job_name"]: target
        for job in settings["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }

    assert targets
    for job, target in targets.items():
        service = compose["services"][job]
        assert target == f"{job}:{service['environment']['ATLAS_PORT']}"
        assert set(service["networks"]) & set(compose["services"]["prometheus"]["networks"])


def test_containers_have_the_pinned_versions_of_the_project():
    pinned = dict(PINNED.findall((ROOT / "requirements.lock").read_text()))
    in_images = dict(PINNED.findall((ROOT / "docker" / "requirements.lock").read_text()))

    assert len(in_images) > 10
    assert in_images.items() <= pinned.items()
