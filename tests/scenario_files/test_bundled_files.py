"""The scenarios and systems that are shipped can be read, quickly, with the real catalogues."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from fault_injectors.catalogue import FAULTS
from harness.checks.catalogue import CHECKS
from harness.scenario_files import (
    SystemFiles,
    discover,
    dump_scenario,
    load_scenario,
    load_system,
    read_scenario,
)
from shadow_atlas.batch.portals import links
from shadow_atlas.batch.settings import JOB_STORE
from shadow_atlas.gateways import GATEWAY_NAMES
from shadow_atlas.gateways.snapshots import make_snapshots
from shadow_atlas.ipfs.gateways import links as gateway_links
from shadow_atlas.ipfs.settings import GATEWAYS
from shadow_atlas.portal_queries.catalogue import PORTALS, STATES, TIGER, Layer, has_layer
from shadow_atlas.presets import (
    API_LOOKUP,
    BOUNDARY_UPDATE,
    IPFS_GATEWAY,
    PORTAL_REQUEST,
    STATE_EXTRACTION,
)
from tests.shadow_atlas.cities import CITIES

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
SYSTEM = load_system(SCENARIOS / "shadow_atlas.system.yaml")


@pytest.mark.parametrize("path", discover([SCENARIOS]), ids=lambda path: path.name)
def test_a_bundled_scenario_survives_being_written_and_read(path: Path):
    systems = SystemFiles()
    scenario = load_scenario(path, faults=FAULTS, checks=CHECKS, systems=systems)

    text = dump_scenario(scenario)

    read_back = read_scenario(text, path, faults=FAULTS, checks=CHECKS, systems=systems)
    assert replace(read_back, line=scenario.line) == scenario


@pytest.mark.slow
def test_all_bundled_files_are_read_in_a_moment():
    paths = discover([SCENARIOS])
    systems = SystemFiles()
    started_s = time.process_time()

    for path in paths:
        load_scenario(path, faults=FAULTS, checks=CHECKS, systems=systems)

    # 15 ms a file: a suite of a hundred is then read before anybody wonders. It takes about 7 ms.
    assert time.process_time() - started_s < 0.015 * len(paths) + 0.1


def test_breakers_are_those_of_the_services():
    configured = {API_LOOKUP.name: API_LOOKUP, JOB_STORE.name: JOB_STORE}
    configured[STATE_EXTRACTION.name] = STATE_EXTRACTION
    configured[BOUNDARY_UPDATE.name] = BOUNDARY_UPDATE
    configured |= dict.fromkeys(links("batch"), PORTAL_REQUEST)
    configured |= dict.fromkeys(gateway_links("ipfs"), IPFS_GATEWAY)

    found = {
        breaker.name: (
            breaker.open_duration_s,
            breaker.failure_threshold,
            breaker.half_open_max_calls,
        )
        for breaker in SYSTEM.breakers
    }

    assert found == {
        name: (
            stack.breaker.open_duration_s,
            stack.breaker.failure_threshold,
            stack.breaker.half_open_max_calls,
        )
        for name, stack in configured.items()
        if stack.breaker is not None
    }


def test_a_breaker_of_a_portal_protects_the_link_to_it():
    declared = {breaker.name: str(breaker.links[0]) for breaker in SYSTEM.breakers}

    assert links("batch").items() <= declared.items()
    assert gateway_links("ipfs").items() <= declared.items()


def test_services_are_the_upstreams_and_what_uses_them():
    names = [service.name for service in SYSTEM.services]

    portals = [*(portal.name for portal in PORTALS), TIGER.name]
    assert names == ["db", "api", "batch", *portals, "ipfs", *GATEWAYS]
    assert GATEWAYS == GATEWAY_NAMES


def test_promised_amplification_is_the_number_of_attempts():
    promised = {str(spec.link): spec.amplification_at_most for spec in SYSTEM.links}

    assert API_LOOKUP.retry is not None
    assert promised["api -> db"] == API_LOOKUP.retry.max_attempts
    assert BOUNDARY_UPDATE.retry is not None
    assert promised["api -> tiger"] == BOUNDARY_UPDATE.retry.max_attempts
    assert PORTAL_REQUEST.retry is not None
    assert {promised[link] for link in links("batch").values()} == {
        PORTAL_REQUEST.retry.max_attempts
    }
    assert IPFS_GATEWAY.retry is not None
    assert {promised[link] for link in gateway_links("ipfs").values()} == {
        IPFS_GATEWAY.retry.max_attempts
    }


def test_cities_are_places_that_the_shipped_geometry_covers():
    rows = [(row["name"], row["lat"], row["lon"]) for row in SYSTEM.datasets["cities"]]

    assert rows == [(city.name, str(city.lat), str(city.lon)) for city in CITIES]


def test_states_and_extractions_are_what_the_portals_serve():
    states = [row["state"] for row in SYSTEM.datasets["states"]]
    pairs = [(row["state"], row["layer"]) for row in SYSTEM.datasets["extractions"]]

    assert sorted(states) == sorted(STATES)
    assert sorted(pairs) == sorted(
        (state, layer.value) for state in STATES for layer in Layer if has_layer(state, layer)
    )


def test_snapshots_are_those_that_the_gateways_publish():
    rows = [(row["state"], row["cid"]) for row in SYSTEM.datasets["snapshots"]]

    assert rows == [(snapshot.state, snapshot.name) for snapshot in make_snapshots()]
