"""The stand-ins as processes: each form's contract, and that every script bites and heals."""

import json
import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.shadow_atlas.service_process import TOKEN, StandIns

pytestmark = pytest.mark.slow

WI_COUNTIES = "/arcgis/rest/services/WI/county/FeatureServer/0/query"
CO_COUNTIES = "/arcgis/rest/services/CO/county/MapServer/0/query"
TIGER_COUNTIES = "/arcgis/rest/services/TIGERweb/State_County/MapServer/1/query"
NY_COUNTIES = "/resource/atls-cnty.geojson"
ALL = {"where": "1=1", "outFields": "*", "f": "geojson"}
OF_NEW_YORK = {"$where": "state='NY'"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=2) as client:
        yield client


class Asking:
    """Ask one stand-in after another."""

    def __init__(self, stand_ins: StandIns, client: httpx.Client) -> None:
        self.stand_ins = stand_ins
        self.client = client

    def __call__(
        self, name: str, path: str, params: dict[str, str], **headers: str
    ) -> httpx.Response:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.client.get(self.stand_ins.url(name) + path, params=params, headers=sent)

    def wisconsin(self, **headers: str) -> httpx.Response:
        return self("portal_wi", WI_COUNTIES, ALL, **headers)


@pytest.fixture
def ask(stand_ins: StandIns, client: httpx.Client) -> Asking:
    return Asking(stand_ins, client)


@pytest.mark.parametrize(
    ("name", "path", "params", "count", "field"),
    [
        ("portal_wi", WI_COUNTIES, ALL, 72, "GEOID"),
        ("portal_co", CO_COUNTIES, ALL, 64, "GEOID"),
        ("tiger", TIGER_COUNTIES, {**ALL, "where": "STATE='31'"}, 93, "GEOID"),
        ("portal_ny", NY_COUNTIES, OF_NEW_YORK, 62, "geoid"),
        ("portal_ny", NY_COUNTIES, {"$where": "state = 'CT'"}, 8, "geoid"),
    ],
)
def test_each_form_publishes_real_counties(ask, name, path, params, count, field):
    response = ask(name, path, params)

    document = response.json()
    assert response.status_code == 200
    assert document["type"] == "FeatureCollection"
    assert len({each["properties"][field] for each in document["features"]}) == count


@pytest.mark.parametrize(
    ("name", "path", "where"),
    [("portal_wi", WI_COUNTIES, "1=1"), ("tiger", TIGER_COUNTIES, "STATE='55'")],
)
def test_an_arcgis_page_says_whether_another_one_follows(ask, name, path, where):
    def page(offset: int) -> Any:
        params = {**ALL, "where": where, "resultOffset": str(offset), "resultRecordCount": "40"}
        return ask(name, path, params).json()

    first, last = page(0), page(40)

    assert first["properties"] == {"exceededTransferLimit": True}
    assert (len(first["features"]), len(last["features"])) == (40, 32)
    assert "properties" not in last
    numbers = [each["properties"]["OBJECTID"] for each in first["features"] + last["features"]]
    assert numbers == list(range(1, 73))


def test_a_socrata_page_ends_where_the_limit_says(ask):
    def page(offset: int) -> Any:
        params = {**OF_NEW_YORK, "$limit": "40", "$offset": str(offset)}
        return ask("portal_ny", NY_COUNTIES, params).json()["features"]

    assert [len(page(offset)) for offset in (0, 40, 80)] == [40, 22, 0]


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/arcgis/rest/services/WI/ward/FeatureServer/0/query", ALL, 404),
        ("/arcgis/rest/services/WI/county/MapServer/0/query", ALL, 404),
        ("/arcgis/rest/services/CO/county/FeatureServer/0/query", ALL, 404),
        ("/arcgis/rest/services/NE/state_house/FeatureServer/0/query", ALL, 404),
        ("/arcgis/other", ALL, 404),
        (WI_COUNTIES, {**ALL, "f": "json"}, 400),
        (WI_COUNTIES, {**ALL, "where": "1=1; DROP TABLE"}, 400),
        (WI_COUNTIES, {**ALL, "resultOffset": "-1"}, 400),
        (WI_COUNTIES, {**ALL, "resultRecordCount": "ten"}, 400),
    ],
)
def test_arcgis_reports_errors_inside_a_200(ask, path, params, code):
    response = ask("portal_wi", path, params)

    assert response.status_code == 200
    assert response.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/resource/none-none.geojson", OF_NEW_YORK, 404),
        (NY_COUNTIES, {}, 400),
        (NY_COUNTIES, {"$where": "state='WI'"}, 400),
        (NY_COUNTIES, {**OF_NEW_YORK, "$limit": "-1"}, 400),
    ],
)
def test_socrata_reports_errors_by_status(ask, path, params, status):
    response = ask("portal_ny", path, params)

    assert response.status_code == status
    assert response.json()["error"] is True


def test_a_request_is_recorded_with_its_call_and_attempt(ask):
    ask.wisconsin(x_atlas_call_id="recorded", x_atlas_attempt="2")

    (record,) = ask.stand_ins.received("portal_wi", "recorded")
    assert (record["attempt"], record["status"], record["path"]) == (2, 200, WI_COUNTIES)
    assert record["scripted"] is None
    assert record["bytes"] > 30_000
    assert record["started_ns"] < record["t_ns"]


def test_the_summary_counts_requests_for_each_call(ask):
    for attempt in ("1", "2"):
        ask.wisconsin(x_atlas_call_id="summed", x_atlas_attempt=attempt)

    ask.stand_ins.received("portal_wi")  # until here, the second one may not be counted yet
    summary = _chaos(ask, "portal_wi", "GET", "/chaos/received").json()

    assert summary["calls"]["summed"] == {"requests": 2, "attempts": [1, 2]}
    assert summary["by_layer"]["WI/county"] >= 2


def test_a_status_bites_with_its_retry_after_in_seconds(ask):
    ask.stand_ins.script("portal_wi", status=429, retry_after_s=7)

    response = ask.wisconsin()

    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


def test_a_retry_after_date_is_never_too_early(ask):
    ask.stand_ins.script("portal_wi", status=503, retry_after_s=7, retry_after_form="http_date")

    response = ask.wisconsin()

    told = parsedate_to_datetime(response.headers["retry-after"])
    answered = parsedate_to_datetime(response.headers["date"])
    assert (told - answered).total_seconds() >= 7


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("malformed", lambda text: json.loads(text)["features"][0]["properties"] == {}),
        ("truncated", lambda text: len(text) > 10_000 and not text.endswith("}")),
        ("empty", lambda text: text == ""),
        ("error_in_200", lambda text: json.loads(text)["error"]["code"] == 500),
        ("wrong_type", lambda text: text.startswith("<!doctype html>")),
    ],
)
def test_a_wrong_body_comes_under_status_200(ask, body, check):
    ask.stand_ins.script("portal_wi", body=body)

    response = ask.wisconsin()

    assert response.status_code == 200
    assert check(response.text)


def test_an_oversized_body_is_valid_and_does_not_announce_its_length(ask):
    ask.stand_ins.script("portal_wi", body="oversize", size_bytes=2_000_000)

    response = ask.wisconsin()

    assert "content-length" not in response.headers
    assert len(response.content) == 2_000_000
    assert len(response.json()["features"]) == 72


def test_a_delay_is_real_seconds_whatever_the_time_scale(ask):
    ask.stand_ins.script("portal_wi", latency_s=0.3)

    ask.wisconsin(x_atlas_call_id="delayed")

    (record,) = ask.stand_ins.received("portal_wi", "delayed")
    assert record["t_ns"] - record["started_ns"] >= 0.3e9  # an earlier end: the script did not bite
    assert (record["status"], record["scripted"]) == (200, "scripted")


def test_a_trickle_keeps_its_pace(ask):
    ask.stand_ins.script("portal_wi", body="trickle", bytes_per_s=100_000)

    ask.wisconsin(x_atlas_call_id="trickled")

    (record,) = ask.stand_ins.received("portal_wi", "trickled")
    assert record["t_ns"] - record["started_ns"] >= 0.3e9  # 36 kB at 100 kB/s


def test_a_hang_ends_when_the_client_gives_up(ask):
    ask.stand_ins.script("portal_wi", hang=True)

    with pytest.raises(httpx.ReadTimeout):
        ask.client.get(ask.stand_ins.url("portal_wi") + WI_COUNTIES, params=ALL, timeout=1)
    for _ in range(500):  # each asks the stand-in something, so this is bounded by its answers
        if ask.stand_ins.received("portal_wi"):
            break  # it has noticed; a script that is lifted before lets the request be answered
    ask.stand_ins.lift("portal_wi")
    ask.wisconsin()

    first, second = ask.stand_ins.received("portal_wi")
    assert (first["status"], first["scripted"]) == (None, "scripted")
    assert second["status"] == 200


@pytest.mark.parametrize("held", [{"hang": True}, {"latency_s": 60}])
def test_lifting_a_script_lets_go_of_what_it_holds(ask, held):
    ask.stand_ins.script("portal_wi", **held)
    answers: list[httpx.Response] = []
    caller = Thread(target=lambda: answers.append(ask.wisconsin()))

    caller.start()
    while _chaos(ask, "portal_wi", "GET", "/chaos/scripts").json()["scripts"][0]["acted"] == 0:
        assert caller.is_alive()  # its own timeout of 2 s bounds this loop
    ask.stand_ins.lift("portal_wi")
    caller.join(timeout=5)

    (answer,) = answers
    assert len(answer.json()["features"]) == 72


@pytest.mark.parametrize(
    ("when", "complaint"),
    [("before", "without sending a response"), ("mid", "without sending complete message body")],
)
def test_a_connection_is_cut_where_the_script_says(ask, when, complaint):
    ask.stand_ins.script("portal_wi", close=when, first=1)

    with pytest.raises(httpx.RemoteProtocolError, match=complaint):
        ask.wisconsin()

    assert ask.wisconsin().status_code == 200
    cut, whole = ask.stand_ins.received("portal_wi")
    assert cut["status"] == {"before": None, "mid": 200}[when]
    assert cut["bytes"] * 2 <= whole["bytes"]


def test_a_connection_ends_in_order_after_a_complete_answer(ask):
    ask.stand_ins.script("portal_wi", close="after", first=1)

    last, next_one = ask.wisconsin(), ask.wisconsin()

    assert len(last.json()["features"]) == 72
    assert last.headers["connection"] == "close"
    assert "connection" not in next_one.headers


def test_a_page_size_caps_pages_on_arcgis(ask):
    ask.stand_ins.script("portal_wi", page_size=5)

    document = ask.wisconsin().json()

    assert len(document["features"]) == 5
    assert document["properties"] == {"exceededTransferLimit": True}


def test_a_page_size_is_refused_where_a_cap_cannot_be_told(ask):
    response = _chaos(
        ask, "portal_ny", "POST", "/chaos/scripts", json={"name": "x", "page_size": 5}
    )

    assert response.status_code == 400
    assert "no way to mark a capped page" in response.json()["error"]["message"]


def test_a_script_for_one_state_leaves_the_other_alone(ask):
    ask.stand_ins.script("portal_ny", match={"state": "NY"}, status=503)

    assert ask("portal_ny", NY_COUNTIES, OF_NEW_YORK).status_code == 503
    assert ask("portal_ny", NY_COUNTIES, {"$where": "state='CT'"}).status_code == 200


def test_scripts_are_listed_with_their_counts_and_lifted(ask):
    ask.stand_ins.script("portal_wi", name="one", status=503, attempts=[1])
    ask.wisconsin()

    listed = _chaos(ask, "portal_wi", "GET", "/chaos/scripts").json()["scripts"]
    lifted = _chaos(ask, "portal_wi", "DELETE", "/chaos/scripts/one")
    again = _chaos(ask, "portal_wi", "DELETE", "/chaos/scripts/one")

    assert listed == [{"name": "one", "attempts": [1], "status": 503, "matched": 1, "acted": 1}]
    assert (lifted.status_code, again.status_code) == (200, 404)
    assert ask.wisconsin().status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": "x", "hang": "yes"}'])
def test_a_script_that_cannot_be_meant_is_refused(ask, body):
    response = _chaos(ask, "portal_wi", "POST", "/chaos/scripts", content=body)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "SCRIPT_REJECTED"


@pytest.mark.parametrize("token", ["", "wrong"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/chaos/scripts"),
        ("POST", "/chaos/scripts"),
        ("DELETE", "/chaos/scripts"),
        ("DELETE", "/chaos/scripts/x"),
        ("GET", "/chaos/received"),
    ],
)
def test_without_the_token_there_are_no_chaos_endpoints(ask, token, method, path):
    response = _chaos(ask, "tiger", method, path, token=token)

    assert response.status_code == 404
    assert response.json() == ask.client.get(ask.stand_ins.url("tiger") + "/chaos/none").json()


def test_health_says_which_portal_is_played(ask):
    document = ask.client.get(ask.stand_ins.url("portal_co") + "/v1/health").json()

    assert document["portal"] == "portal_co"
    assert document["states"] == ["CO", "DC"]


def test_metrics_are_exposed(ask):
    text = ask.client.get(ask.stand_ins.url("tiger") + "/metrics").text

    assert re.search(r"^stand_in_requests_total", text, re.MULTILINE)


def _chaos(
    ask: Asking, name: str, method: str, path: str, *, token: str = TOKEN, **content: Any
) -> httpx.Response:
    sent = {"x-atlas-chaos-token": token}
    return ask.client.request(method, ask.stand_ins.url(name) + path, headers=sent, **content)
