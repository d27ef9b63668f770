"""The api as a process: signals, records, configuration, and the six in-process faults."""

import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import httpx
import psutil
import pytest

from shadow_atlas.serving import run_service
from shadow_atlas.settings import ApiSettings
from tests.shadow_atlas.running import (
    ROOT,
    TOKEN,
    api_process,
    wait_for,
    without,
)

CONFIGURATION = {
    "ATLAS_SERVICE": "api",
    "ATLAS_DB_ADDRESS": "127.0.0.1:1",
    "ATLAS_PORT": "1",
}
MADISON = {"lat": "43.07305", "lon": "-89.40123"}
CHAOS = {"x-atlas-chaos-token": TOKEN}

pytestmark = pytest.mark.slow


@pytest.fixture
def api(cluster, tmp_path):
    with api_process(tmp_path, cluster.address) as running:
        wait_for(running, lambda health: health["ready"])
        yield running


@pytest.fixture(scope="module")
def lasting_api(session_cluster, tmp_path_factory):
    """One process for the tests that neither stop it nor its database."""
    session_cluster.start()
    with api_process(tmp_path_factory.mktemp("events"), session_cluster.address) as running:
        wait_for(running, lambda health: health["ready"])
        yield running


def set_fault(client, fault, **settings):
    client.post(
        "/chaos/faults", json={"fault": fault, **settings}, headers=CHAOS
    ).raise_for_status()


def test_sigterm_ends_streams_completes_slow_answers_and_exits_with_zero(api):
    connected = threading.Event()
    with api.client() as client, concurrent.futures.ThreadPoolExecutor(2) as threads:
        set_fault(client, "network_delay", delay_s=1.0)
        following = threads.submit(follow_events, api, connected)
        assert connected.wait(timeout=20)
        slow = threads.submit(lambda: httpx.get(f"{api.url}/v1/lookup", params=MADISON, timeout=20))
        wait_for_event(api, "chaos")

        api.process.send_signal(signal.SIGTERM)

        assert slow.result(timeout=20).status_code == 200
        assert api.process.wait(timeout=20) == 0
        stream = following.result(timeout=20)
    assert stream[0]["kind"] == "clock"
    assert [each["what"] for each in stream if each["kind"] == "process"] == ["stopping"]
    recorded = [each["what"] for each in api.events("process")]
    assert recorded == ["started", "ready", "stopping", "stopped"]
    lookups = [each for each in api.events("request") if each["path"] == "/v1/lookup"]
    assert [each["status"] for each in lookups] == [200]


def follow_events(api, connected):
    with httpx.stream("GET", f"{api.url}/events", timeout=20) as response:
        connected.set()
        return [json.loads(line) for line in response.iter_lines()]


def wait_for_event(api, kind):
    for _ in range(1000):
        if api.events(kind):
            return
        time.sleep(0.01)  # noqa: TID251 -- another process acts; bounded by the loop
    raise AssertionError(f"no {kind} event within 10 s")


def test_reader_that_stopped_reading_delays_no_answer_and_no_stop(api):
    with api.client() as client, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", api.port))
        deaf.sendall(b"GET /events HTTP/1.1\r\nHost: api\r\n\r\n")
        for _ in range(120):  # 7 MB of records: more than the kernel buffers for anybody
            assert client.get(f"/{'x' * 60_000}").status_code == 404

        api.process.send_signal(signal.SIGTERM)

        # The grace for answers in flight is 12 s; a deaf reader must not use it up.
        assert api.process.wait(timeout=8) == 0


def test_second_sigint_stops_without_waiting(api):
    with api.client() as client, concurrent.futures.ThreadPoolExecutor(1) as threads:
        set_fault(client, "network_delay", delay_s=30.0)
        slow = threads.submit(lambda: client.get("/v1/lookup", params=MADISON))
        wait_for_event(api, "chaos")

        api.process.send_signal(signal.SIGINT)
        wait_for_stopping(api)
        api.process.send_signal(signal.SIGINT)

        assert api.process.wait(timeout=8) == 0
        assert isinstance(
            slow.exception(timeout=20) or slow.result(), httpx.HTTPError | httpx.Response
        )


def wait_for_stopping(api):
    for _ in range(1000):
        if [each for each in api.events("process") if each["what"] == "stopping"]:
            return
        time.sleep(0.01)  # noqa: TID251 -- another process acts; bounded by the loop
    raise AssertionError("the service did not begin to stop within 10 s")


def test_record_is_complete_after_sigkill_under_load(api):
    answered = []
    stop = threading.Event()

    def load(client_id):
        with api.client(headers={"x-client-id": client_id}) as client:
            while not stop.is_set():
                try:
                    response = client.get("/v1/lookup", params=MADISON)
                except httpx.TransportError:
                    return
                if response.status_code == 200:
                    answered.append(response.headers["x-atlas-call-id"])

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        loads = [threads.submit(load, f"client-{number}") for number in range(8)]
        while len(answered) < 100:
            assert not all(each.done() for each in loads)
        api.process.kill()
        api.process.wait(timeout=20)
        stop.set()

    records = api.events()  # a torn line would not parse
    assert [record["seq"] for record in records] == list(range(len(records)))
    # A record is written before the last byte is sent: every answer that a client got is there.
    for kind in ("attempt", "request"):
        assert set(answered) <= {each["call_id"] for each in records if each["kind"] == kind}


def test_database_restart_costs_no_more_than_the_outage(api, cluster):
    with api.client() as client:
        assert client.get("/v1/lookup", params=MADISON).json()["source"] == "primary"
        cluster.stop(mode="immediate")
        during = client.get("/v1/lookup", params=MADISON)
        cluster.start()
        after = [client.get("/v1/lookup", params=MADISON) for _ in range(25)]

    assert during.json()["source"] == "stale_cache"
    assert {response.json()["source"] for response in after} == {"primary"}


def test_call_id_client_and_start_are_in_the_record(lasting_api):
    with lasting_api.client() as client:
        client.get(
            "/v1/lookup", params=MADISON, headers={"x-atlas-call-id": "c-1", "x-client-id": "me"}
        )

    request = [each for each in lasting_api.events("request") if each["call_id"] == "c-1"]
    assert [without(each, "t_ns", "seq", "started_ns") for each in request] == [
        {
            "service": "api",
            "incarnation": "1",
            "kind": "request",
            "call_id": "c-1",
            "method": "GET",
            "path": "/v1/lookup",
            "status": 200,
            "source": "primary",
            "rejected_by": None,
            "client": "me",
        }
    ]
    attempt = next(each for each in lasting_api.events("attempt") if each["call_id"] == "c-1")
    assert request[0]["started_ns"] <= attempt["started_ns"] <= attempt["t_ns"]
    assert attempt["t_ns"] <= request[0]["t_ns"]


def test_clock_is_recorded_every_second(lasting_api):
    clocks = []
    for _ in range(500):
        clocks = [each["t_ns"] for each in lasting_api.events("clock")]
        if len(clocks) >= 3:
            break
        time.sleep(0.01)  # noqa: TID251 -- another process acts; bounded by the loop

    # A timer may be late, never early: 1 s, less the rounding of a clock tick.
    assert clocks[2] - clocks[1] >= 0.999e9


@pytest.mark.parametrize("size_bytes", [2 * 2**20, 30 * 2**20])
def test_huge_body_is_refused_and_the_next_request_is_answered(lasting_api, size_bytes):
    with lasting_api.client() as client:
        # A server may refuse before it has read everything; the client then sees the answer, or
        # that nobody reads on.
        try:
            status = client.post("/v1/lookup", content=b"x" * size_bytes).status_code
        except httpx.WriteError:
            status = 413
        after = client.get("/v1/lookup", params=MADISON)

    assert status == 413
    assert after.status_code == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /v1/lookup?lat=1&lon=1 HTTP/9.9\r\n\r\n",
        b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"GET /v1/lookup HTTP/1.1\r\nHost: a\r\nX-Client-Id: \xff\xfe\r\nConnection: close\r\n\r\n",
    ],
)
def test_nonsense_on_the_wire_is_a_client_error_and_harms_nobody(lasting_api, raw):
    with socket.create_connection(("127.0.0.1", lasting_api.port), timeout=10) as line:
        line.sendall(raw)
        answer = line.recv(65536)

    assert answer.split(b" ")[1][:1] == b"4"
    with lasting_api.client() as client:
        assert client.get("/v1/health").status_code == 200


# --- wrong configuration --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ATLAS_PORT": "http"}, "ATLAS_PORT: expected a port from 1 to 65535, got 'http'"),
        ({"ATLAS_TIME_SCALE": "0"}, "ATLAS_TIME_SCALE: expected a finite number above 0, got '0'"),
        ({"ATLAS_RESILIENCE": "nowhere:make"}, "ATLAS_RESILIENCE: cannot import module 'nowhere'"),
        ({"ATLAS_RESILIENCE": "json:make"}, "ATLAS_RESILIENCE: module 'json' has no 'make'"),
        ({"ATLAS_APP": "json:__name__"}, "ATLAS_APP: 'json:__name__' is not callable"),
        ({"ATLAS_EVENT_DIR": "/dev/null/x"}, "ATLAS_EVENT_DIR: cannot write events"),
    ],
)
def test_wrong_configuration_is_named_and_exits_with_two(capsys, variables, message):
    code = run_service({**CONFIGURATION, **variables}, read_settings=ApiSettings.from_environment)

    assert code == 2
    assert message in capsys.readouterr().err


def test_taken_port_is_named_and_exits_with_three(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code = run_service(
            {**CONFIGURATION, "ATLAS_PORT": port}, read_settings=ApiSettings.from_environment
        )

    assert code == 3
    assert "ATLAS_HOST, ATLAS_PORT: cannot listen" in capsys.readouterr().err


def test_process_without_configuration_ends_with_two_and_no_traceback():
    ended = subprocess.run(
        [sys.executable, "-m", "shadow_atlas.api"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 2
    assert "ATLAS_SERVICE: expected a non-empty text, but it is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


# --- chaos endpoints ------------------------------------------------------------------------


def test_chaos_endpoints_do_not_exist_without_the_token(lasting_api):
    with lasting_api.client() as client:
        unknown = client.get("/nothing")
        refused = [
            client.get("/chaos/faults"),
            client.get("/chaos/faults", headers={"x-atlas-chaos-token": "wrong"}),
            client.post("/chaos/faults", content=b"{", headers={"x-atlas-chaos-token": "wrong"}),
            client.delete("/chaos/faults/timeout"),
        ]

    assert {response.status_code for response in refused} == {404}
    assert {response.text for response in refused} == {unknown.text}


def test_chaos_endpoints_do_not_exist_where_no_token_was_configured(cluster, tmp_path):
    with (
        api_process(tmp_path, cluster.address, ATLAS_CHAOS_TOKEN="") as api,
        api.client() as client,
    ):
        response = client.get("/chaos/faults", headers={"x-atlas-chaos-token": ""})

    assert response.status_code == 404


def test_fault_is_set_counted_and_lifted(lasting_api):
    with lasting_api.client(headers=CHAOS) as client:
        set_fault(client, "upstream_error", status=404)
        client.get("/v1/lookup", params=MADISON)
        active = client.get("/chaos/faults").json()
        lifted = client.delete("/chaos/faults/upstream_error").json()
        after = client.get("/v1/lookup", params=MADISON).status_code
        remaining = client.get("/chaos/faults").json()

    assert active == {"active": [{"name": "upstream_error", "acted": 1}]}
    assert (lifted, after, remaining) == ({"lifted": 1}, 200, {"active": []})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "body: Invalid JSON"),
        (b'{"fault": "gremlins"}', "'gremlins' is not a valid ChaosFault"),
        (b'{"fault": "timeout", "probability": 2}', "probability=2.0 must be in"),
        (b'{"fault": "timeout", "dealy_s": 1}', "dealy_s: Extra inputs are not permitted"),
        (b'{"fault": "timeout", "status": "503"}', "status: Input should be a valid integer"),
    ],
)
def test_bad_fault_is_refused_with_its_reason(lasting_api, body, message):
    with lasting_api.client(headers=CHAOS) as client:
        response = client.post("/chaos/faults", content=body)

    assert response.status_code == 400
    assert message in response.json()["error"]["message"]


@pytest.fixture
def patient_api(cluster, tmp_path):
    """An api whose own timeouts (10 s an attempt) no busy machine reaches."""
    with api_process(tmp_path, cluster.address, ATLAS_TIME_SCALE="5") as running:
        wait_for(running, lambda health: health["ready"])
        yield running


def test_the_six_faults_are_told_apart_from_outside(patient_api):
    """Each by what only it does to bytes, time or resources; see the assertions."""
    api = patient_api
    process = psutil.Process(api.process.pid)
    with api.client(headers={**CHAOS, "x-client-id": "six"}) as client:
        sound = ask(client)
        rss_before_bytes = process.memory_info().rss
        set_fault(client, "resource_exhaustion", size_bytes=200 * 2**20, cpu_s=0.2)
        rss_peak_bytes, exhausted = watch_memory(process, lambda: ask(client))
        client.delete("/chaos/faults")
        delayed = ask_under(client, "network_delay", delay_s=0.3)
        damaged = ask_under(client, "data_corruption", size_bytes=1)
        failed = ask_under(client, "network_failure", error="ECONNREFUSED", lat="43.1")
        refused = ask_under(client, "upstream_error", status=500, lat="43.2")
        timed_out = ask_under(client, "timeout", delay_s=0.5, lat="43.3")

    # resource_exhaustion: the right bytes, for memory and processor time that no other uses.
    assert exhausted.body == sound.body
    assert rss_peak_bytes - rss_before_bytes >= 150 * 2**20
    assert exhausted.took_s >= 0.2
    # network_delay: the right bytes, at least as much later as the delay says.
    assert delayed.body == sound.body
    assert delayed.took_s >= 0.3
    # data_corruption: a success with other bytes.
    assert damaged.status == 200
    assert damaged.body != sound.body
    # network_failure: tried again, because a lost connection may be a passing thing.
    assert errors_of(api, failed) == ["network_error"] * 2
    # upstream_error 500: not tried again.
    assert errors_of(api, refused) == ["permanent"]
    # timeout: each of two attempts hangs for its half second.
    assert errors_of(api, timed_out) == ["network_timeout"] * 2
    assert timed_out.took_s >= 1.0


@dataclass
class Asked:
    status: int
    body: bytes
    call_id: str
    took_s: float


def ask(client, **changes):
    started_s = time.monotonic()  # noqa: TID251 -- seen from outside
    response = client.get("/v1/lookup", params={**MADISON, **changes})
    return Asked(
        status=response.status_code,
        body=response.content,
        call_id=response.headers["x-atlas-call-id"],
        took_s=time.monotonic() - started_s,  # noqa: TID251
    )


def ask_under(client, fault, *, lat=MADISON["lat"], **settings):
    set_fault(client, fault, **settings)
    asked = ask(client, lat=lat)
    client.delete("/chaos/faults")
    return asked


def errors_of(api, asked):
    attempts = [each for each in api.events("attempt") if each["call_id"] == asked.call_id]
    return [each["error_class"] for each in attempts]


def watch_memory(process, act):
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        acting = threads.submit(act)
        peak_bytes = 0
        while not acting.done():
            peak_bytes = max(peak_bytes, process.memory_info().rss)
        return peak_bytes, acting.result()
