"""`docker compose up -d --wait` gives a working Shadow Atlas; `down -v` takes all of it away."""

import asyncio
import json
import statistics
import subprocess
from pathlib import Path

import pytest

from harness.clock import SystemClock
from tests.docker.conftest import new_stack

pytestmark = [pytest.mark.slow, pytest.mark.docker]

MADISON = {"lat": "43.07305", "lon": "-89.40123"}
SCRAPED_WITHIN_S = 40  # it may have looked before they listened, and looks every 15 s
SNAPSHOT = "bafybeiaupyfakkrq3pba3tkveal7ztcri3znjg2edsc22gymnxoxr4awfy"  # of the system file
LATENCY_MS = 300  # an undisturbed lookup takes 2 to 30 ms, and a lookup is given 2 s
PORTALS = ("portal_wi", "portal_co", "portal_ny", "tiger")
SERVERS = ("db", *PORTALS, "gateway_a", "gateway_b", "gateway_c")


def lookup_latency_s(api) -> float:
    """Return the median of a few lookups, each of which has to be answered by the database."""
    answers = [api.get("/v1/lookup", params=MADISON) for _ in range(5)]
    assert [(each.status_code, each.headers["x-atlas-source"]) for each in answers] == [
        (200, "primary")
    ] * 5
    return statistics.median(each.elapsed.total_seconds() for each in answers)


def inspected(stack) -> list[dict]:
    names = stack.compose("ps", "-a", "-q").split()
    listed = subprocess.run(
        ["docker", "inspect", *names], capture_output=True, text=True, timeout=30, check=True
    )
    return json.loads(listed.stdout)


def test_a_lookup_is_answered_from_the_database(stack):
    with stack.client("api") as api:
        answer = api.get("/v1/lookup", params=MADISON)

    assert answer.status_code == 200
    assert answer.headers["x-atlas-source"] == "primary"
    assert [each["name"] for each in answer.json()["districts"]] == ["Wisconsin", "Dane"]


@pytest.mark.parametrize(
    ("state", "portal"), [("WI", "portal_wi"), ("CO", "portal_co"), ("NY", "portal_ny")]
)
def test_an_extraction_reaches_the_portal_of_the_state(stack, state, portal):
    with stack.client("batch") as batch:
        answer = batch.post("/v1/extractions", json={"state": state, "layer": "county"})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["source"], answer.json()["portal"]) == ("primary", portal)
    assert answer.json()["feature_count"] > 0


def test_an_ipfs_snapshot_is_fetched_through_a_gateway(stack):
    with stack.client("ipfs") as ipfs:
        synced = ipfs.post(f"/v1/snapshots/{SNAPSHOT}/sync")
        content = ipfs.get(f"/v1/snapshots/{SNAPSHOT}")

    assert (synced.status_code, synced.json()["source"]) == (200, "primary"), synced.text
    assert len(content.content) == synced.json()["size_bytes"] > 0


def test_a_latency_toxic_on_a_link_shows_in_the_latency_of_lookups(stack):
    toxic = {"name": "slow", "type": "latency", "attributes": {"latency": LATENCY_MS}}
    with stack.client("api") as api, stack.client("toxiproxy", 8474) as proxy:
        before_s = lookup_latency_s(api)
        proxy.post("/proxies/api-db/toxics", json=toxic).raise_for_status()
        during_s = lookup_latency_s(api)
        proxy.delete("/proxies/api-db/toxics/slow").raise_for_status()
        after_s = lookup_latency_s(api)

    assert during_s >= LATENCY_MS / 1000
    assert max(before_s, after_s) < LATENCY_MS / 1000


@pytest.mark.parametrize("client", ["api", "batch", "ipfs"])
def test_no_client_reaches_a_server_round_the_proxy(stack, client):
    program = (
        "import socket, sys\n"
        "def found(name):\n"
        "    try: return bool(socket.getaddrinfo(name, 80))\n"
        "    except OSError: return False\n"
        "print(*[name for name in sys.argv[1:] if found(name)])"
    )

    seen = stack.compose("exec", "-T", client, "python3", "-c", program, "toxiproxy", *SERVERS)

    assert seen.split() == ["toxiproxy"]


def test_prometheus_watches_api_and_batch_by_the_rules_of_the_project(stack):
    with stack.client("prometheus", 9090) as prometheus:
        health = asyncio.run(health_of_targets(prometheus, clock=SystemClock()))
        groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]

    assert health == {"api": "up", "batch": "up"}
    rules = {rule["name"] for group in groups for rule in group["rules"]}
    assert "CircuitBreakerOpenCritical" in rules


async def health_of_targets(prometheus, *, clock) -> dict[str, str]:
    """Return the health of each job once all are up, or what it is when the time is over."""
    health: dict[str, str] = {}
    for _ in range(SCRAPED_WITHIN_S):
        active = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
        health = {each["labels"]["job"]: each["health"] for each in active}
        if health and set(health.values()) == {"up"}:
            break
        await clock.sleep(1.0)
    return health


def test_a_restarted_proxy_has_all_links_again(stack):
    with stack.client("toxiproxy", 8474) as proxy:
        before = sorted(proxy.get("/proxies").json())
    stack.compose("kill", "toxiproxy")
    stack.up("--no-deps", "toxiproxy")

    with stack.client("toxiproxy", 8474) as proxy:
        after = sorted(proxy.get("/proxies").json())

    assert after == before
    assert len(after) == len(json.loads(proxies_file(stack)))


def proxies_file(stack) -> str:
    mounts = {m["Destination"]: m["Source"] for each in inspected(stack) for m in each["Mounts"]}
    return Path(mounts["/etc/toxiproxy.json"]).read_text(encoding="utf-8")


def test_each_start_of_a_service_writes_a_record_of_its_own(stack):
    stack.compose("kill", "portal_wi")
    stack.up("--no-deps", "portal_wi")

    listed = stack.compose("exec", "-T", "portal_wi", "ls", "/var/lib/atlas/events").split()

    mine = sorted(name for name in listed if name.startswith("portal_wi."))
    assert mine == ["portal_wi.1.ndjson", "portal_wi.2.ndjson"]


def test_every_container_is_confined(stack):
    for each in inspected(stack):
        name, host = each["Name"], each["HostConfig"]
        assert each["Config"]["User"] not in {"", "root", "0"}, name
        assert host["CapDrop"] == ["ALL"], name
        assert host["Memory"] > 0, name
        assert host["CpuQuota"] > 0, name
        assert host["PidsLimit"] > 0, name
        addresses = [b["HostIp"] for bound in host["PortBindings"].values() for b in bound]
        assert set(addresses) <= {"127.0.0.1"}, name


@pytest.mark.usefixtures("images")
def test_down_leaves_no_container_volume_or_network():
    stack = new_stack("down")
    try:
        stack.up("db", "toxiproxy")
        while_up = stack.leftovers()
    finally:
        stack.down()

    assert {each.split()[0] for each in while_up} == {"ps", "volume", "network"}
    assert stack.leftovers() == []
