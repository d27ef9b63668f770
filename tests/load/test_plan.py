"""What crosses to the load process, and what is refused before it starts."""

import pytest

from harness.load.plan import LoadPlan, plan_load
from harness.load.request import render
from harness.model.scenario import Reuse
from tests.load.plans import arrival, planned_load
from tests.load.scenarios import ROWS, load, scenario


def test_plan_survives_its_way_as_json():
    offered = load(body={"states": ["{lat}"]}, method="POST", expect_status=(200, 404))
    plan = plan_load(
        scenario(offered, load("fresh", reuse=Reuse.FRESH, dataset=None)),
        seed=5,
        addresses={"api": "127.0.0.1:8080"},
    )

    assert LoadPlan.from_json(plan.to_json()) == plan
    assert "\n" not in plan.to_json()


def test_remote_address_is_refused_unless_allowed():
    addresses = {"api": "192.0.2.1:80"}

    with pytest.raises(ValueError, match="not on this host"):
        plan_load(scenario(load()), seed=1, addresses=addresses)

    plan = plan_load(scenario(load()), seed=1, addresses=addresses, allows_remote=True)
    assert plan.loads[0].host == "192.0.2.1"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("localhost:80", {"127.0.0.1", "::1"}),
        ("[::1]:80", {"::1"}),
        ("127.0.0.2:80", {"127.0.0.2"}),
    ],
)
def test_name_is_resolved_before_the_run(address: str, host: set[str]):
    plan = plan_load(scenario(load()), seed=1, addresses={"api": address})

    assert plan.loads[0].host in host


@pytest.mark.parametrize("address", ["api", "127.0.0.1:", "127.0.0.1:http"])
def test_address_without_port_is_refused(address: str):
    with pytest.raises(ValueError, match=r"expected an address such as '127\.0\.0\.1:8080'"):
        plan_load(scenario(load()), seed=1, addresses={"api": address})


def test_head_is_refused_because_its_answer_has_no_body_to_read():
    with pytest.raises(ValueError, match="HEAD"):
        planned_load(1, method="HEAD")


def test_impatient_client_is_refused():
    with pytest.raises(ValueError, match="timeout_s=0"):
        planned_load(1, timeout_s=0.0)


def test_plan_knows_its_loads_and_the_longest_patience():
    plan = LoadPlan(loads=(planned_load(1, timeout_s=3.0),), arrivals=())

    assert plan.load("lookups").timeout_s == 3.0
    assert plan.patience_max_s == 3.0
    with pytest.raises(KeyError):
        plan.load("nobody")


def test_values_of_the_row_are_quoted_in_the_path():
    rows = ({"name": "Sauk City & more/1"},)
    request = render(
        planned_load(80, path="/v1/{name}?q={name}&k={other}", rows=rows), arrival(0, row=0)
    )

    assert (
        request.target
        == "/v1/Sauk%20City%20%26%20more%2F1?q=Sauk%20City%20%26%20more%2F1&k={other}"
    )


def test_body_is_json_with_the_values_of_the_row_in_its_texts():
    body = {"at": ["{lat}", 7, None], "deep": {"text": 'lon "{lon}"'}}
    load_ = planned_load(80, method="POST", path="/jobs", body=body, rows=ROWS)

    head, _, content = render(load_, arrival(0, row=0)).content.partition(b"\r\n\r\n")

    assert content == b'{"at": ["43.07", 7, null], "deep": {"text": "lon \\"-89.40\\""}}'
    assert f"content-length: {len(content)}".encode() in head
    assert head.startswith(b"POST /jobs HTTP/1.1\r\nhost: 127.0.0.1:80\r\n")


def test_numeric_address_of_ip_version_6_stands_in_brackets():
    assert b"\r\nhost: [::1]:80\r\n" in render(planned_load(80, host="::1"), arrival(0)).content
