"""The reference page of the services says what the code does."""

import json
import re
from operator import attrgetter
from pathlib import Path

import pytest
from starlette.routing import Route

from shadow_atlas import headers, presets
from shadow_atlas.api.lookup import District
from shadow_atlas.api.protected_lookup import Answer
from shadow_atlas.batch.settings import BatchSettings
from shadow_atlas.boundaries import BoundaryVersion
from shadow_atlas.environment import Address, EnvironmentReader
from shadow_atlas.events import EventLog
from shadow_atlas.gateways import GatewaySettings
from shadow_atlas.ipfs import IpfsSettings
from shadow_atlas.settings import ApiSettings, DatabaseSettings
from shadow_atlas.upstreams.settings import UpstreamSettings
from tests.shadow_atlas.fake_clock import FakeClock
from tests.shadow_atlas.running import api_application, api_settings

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "services.md"
REQUIRED = {
    "ATLAS_SERVICE": "portal_wi",
    "ATLAS_PORT": "8080",
    "ATLAS_DB_ADDRESS": "127.0.0.1:5432",
    "ATLAS_PORTAL_WI_ADDRESS": "127.0.0.1:1",
    "ATLAS_PORTAL_CO_ADDRESS": "127.0.0.1:2",
    "ATLAS_PORTAL_NY_ADDRESS": "127.0.0.1:3",
    "ATLAS_TIGER_ADDRESS": "127.0.0.1:4",
    "ATLAS_GATEWAY_A_ADDRESS": "127.0.0.1:5",
    "ATLAS_GATEWAY_B_ADDRESS": "127.0.0.1:6",
    "ATLAS_GATEWAY_C_ADDRESS": "127.0.0.1:7",
}


def read_migrate(mapping):
    reader = EnvironmentReader(mapping)
    settings = DatabaseSettings.read(reader, time_scale=1.0)
    reader.finish()
    return settings


def read_gateway(mapping):
    if "ATLAS_SERVICE" in mapping:
        mapping["ATLAS_SERVICE"] = "gateway_a"
    return GatewaySettings.from_environment(mapping)


READERS = {
    "api": ApiSettings.from_environment,
    "batch": BatchSettings.from_environment,
    "upstreams": UpstreamSettings.from_environment,
    "ipfs": IpfsSettings.from_environment,
    "gateways": read_gateway,
    "migrate": read_migrate,
}


class Watched(dict):
    """An environment that remembers which variables were looked at."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)


def table(title):
    """Return the cells of the first table under a heading, without its head."""
    section = PAGE.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = []
    for line in section.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


@pytest.mark.parametrize("service", READERS)
def test_page_names_exactly_the_variables_that_a_service_reads(service):
    watched = Watched(REQUIRED)

    READERS[service](watched)

    named = {row[0] for row in table("Environment variables") if service in row[1].split(", ")}
    assert named == watched.asked


@pytest.mark.parametrize("row", table("Environment variables"), ids=lambda row: row[0])
def test_default_of_the_page_is_the_default_of_the_code(row):
    name, services, default, _ = row
    read = READERS[services.split(", ")[0]]

    if default == "required":
        with pytest.raises(ValueError, match=f"{name}: .* it is not set"):
            read({key: value for key, value in REQUIRED.items() if key != name})
    elif default not in {"unset", "the service's own"}:
        assert read({**REQUIRED, name: default}) == read(REQUIRED)


def test_page_lists_exactly_the_endpoints_of_the_api():
    clock = FakeClock()
    log = EventLog(service="api", incarnation="1", clock=clock)
    app = api_application(api_settings(Address(host="127.0.0.1", port=1)), clock=clock, log=log)
    listed = {row[0] for row in table("Endpoints of the api")}

    served = {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    plain = [route for route in app.routes if type(route) is Route]
    served |= {f"{method} {route.path}" for route in plain for method in route.methods - {"HEAD"}}

    assert listed == served


def test_page_lists_exactly_the_headers():
    named = {
        value
        for name, value in vars(headers).items()
        if name.isupper() and isinstance(value, str) and name != "PRIMARY_SOURCE"
    }

    assert {row[0] for row in table("Headers")} == named


@pytest.mark.parametrize("row", table("Numbers"), ids=lambda row: row[0])
def test_number_of_the_page_is_the_number_of_the_code(row):
    assert str(attrgetter(row[0])(presets)) == row[1]


def presets_of_page():
    """Return the figures of each preset on the page, by its name."""
    section = PAGE.read_text().split("\n### Presets\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.MULTILINE)
    return {name: [float(cell) for cell in cells.split("|")] for name, cells in rows}


def test_presets_of_the_page_are_those_of_the_code():
    breakers = {
        name: [each.failure_threshold, each.open_duration_s]
        for name, each in presets.BREAKER_PRESETS.items()
    }
    retries = {
        name: [each.max_attempts, each.initial_delay_s, each.max_delay_s]
        for name, each in presets.RETRY_PRESETS.items()
    }
    bulkheads = {name: [each.max_concurrent] for name, each in presets.BULKHEAD_PRESETS.items()}

    assert presets_of_page() == {**breakers, **retries, **bulkheads}


def test_example_answer_has_the_fields_of_an_answer():
    example = json.loads(re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])

    districts = [District(**each).json() for each in example["districts"]]
    assert districts == example["districts"]
    version = BoundaryVersion(number=1, source="tiger", stored_s=0.0)
    answer = Answer(districts=districts, source="primary", age_s=None, boundaries=version)
    assert set(example) == set(answer.json())
    assert set(example["boundaries"]) == set(version.json())
