"""What the harness reads out of a Compose file."""

from pathlib import Path

import pytest

from harness.environments.compose.stack import Disk, find_file, read_stack

FILE = Path("docker-compose.yml")
DOCUMENT = {
    "services": {
        "db": {
            "image": "postgres:16",
            "depends_on": {"disk": {"condition": "service_started"}},
            "volumes": [{"type": "volume", "source": "db", "target": "/data"}],
        },
        "disk": {
            "image": "postgres:16",
            "volumes": [
                {"type": "bind", "source": "/etc", "target": "/theirs"},
                {"type": "volume", "source": "db", "target": "/kept"},
            ],
        },
        "migrate": {
            "image": "own:1",
            "environment": {"ATLAS_PORT": "8080", "ATLAS_EVENT_DIR": "/events"},
            "depends_on": {"db": {"condition": "service_healthy"}},
        },
        "api": {
            "image": "own:1",
            "environment": {"ATLAS_PORT": "8080", "ATLAS_EVENT_DIR": "/events"},
            "depends_on": {
                "migrate": {"condition": "service_completed_successfully"},
                "toxiproxy": {"condition": "service_started"},
            },
        },
        "toxiproxy": {"image": "toxiproxy:2"},
    },
    "networks": {"inside": {"name": "p_inside"}, "theirs": {"external": True}},
    "volumes": {"db": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=8m"}}},
}


@pytest.fixture
def stack():
    return read_stack(DOCUMENT, FILE)


def test_only_what_has_to_end_well_is_a_one_shot(stack):
    assert stack.services["api"].one_shots == ("migrate",)
    assert stack.services["migrate"].one_shots == ()


def test_services_listen_where_their_variable_says_and_a_database_on_its_own(stack):
    ports = {name: one.port for name, one in stack.services.items()}

    assert ports == {"db": 5432, "disk": 5432, "migrate": 8080, "api": 8080, "toxiproxy": 8474}


def test_what_is_made_for_a_service_includes_all_that_it_waits_for_and_the_proxy(stack):
    made = stack.made_for(["db", "api"], ["toxiproxy"])

    assert made == ("db", "api", "disk", "migrate", "toxiproxy")
    assert stack.made_for(["api"], ["fault_proxy"]) == ("api", "migrate", "fault_proxy")


def test_a_volume_with_a_size_is_the_disk_of_a_service_if_somebody_keeps_it(stack):
    assert stack.disk_of("db") == Disk(keeper="disk", path="/kept")
    assert stack.disk_of("api") is None


@pytest.mark.parametrize(
    "options",
    [
        None,
        {"type": "tmpfs", "device": "tmpfs"},  # half of this host's memory
        {"type": "none", "o": "bind,size=8m", "device": "/var"},
        {"type": "nfs", "o": "size=8m"},
    ],
)
def test_a_volume_that_has_no_size_in_memory_is_nobodys_disk(options):
    document = {**DOCUMENT, "volumes": {"db": {"driver_opts": options}}}

    assert read_stack(document, FILE).disk_of("db") is None


def test_a_volume_that_nobody_keeps_is_nobodys_disk():
    alone = {**DOCUMENT["services"]["db"], "depends_on": {}}
    document = {**DOCUMENT, "services": {**DOCUMENT["services"], "db": alone}}

    assert read_stack(document, FILE).disk_of("db") is None


def test_whoever_mounts_the_volume_of_a_database_beside_it_holds_it():
    disk = {"type": "volume", "source": "db", "target": "/data"}
    services = {"db": {"volumes": [disk]}, "keeper": {"volumes": [disk]}, "api": {}}

    found = read_stack({"services": services}, FILE)

    assert found.holders(["db"]) == {"keeper"}
    assert found.holders(["api"]) == frozenset()


def test_folders_of_the_host_and_of_event_files_are_no_volumes():
    volumes = [
        {"type": "bind", "source": "/rules", "target": "/rules"},
        {"type": "volume", "source": "events", "target": "/events"},
        {"type": "volume", "target": "/nameless"},
    ]
    own = {"environment": {"ATLAS_EVENT_DIR": "/events"}, "volumes": volumes}

    assert read_stack({"services": {"api": own}}, FILE).services["api"].mounts == {}


def test_networks_that_exist_already_are_not_ours_to_label(stack):
    assert stack.networks == ("inside",)
    assert stack.volumes == ("db",)


def test_the_image_of_what_runs_beside_services_is_the_files_own(stack):
    named = read_stack({**DOCUMENT, "x-atlas-chaos": {"tools": "own-tools:1"}}, FILE)

    assert (stack.tools, named.tools) == ("", "own-tools:1")


def test_the_compose_file_nearest_to_the_system_file_counts(tmp_path):
    system = tmp_path / "outer" / "inner" / "a.system.yaml"
    system.parent.mkdir(parents=True)
    (tmp_path / "docker-compose.yml").touch()
    (tmp_path / "outer" / "compose.yaml").touch()

    assert find_file(system) == tmp_path / "outer" / "compose.yaml"
