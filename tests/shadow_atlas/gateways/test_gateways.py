"""The stand-ins of the gateways: real blocks, and scripts that bite and heal."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shadow_atlas.content_addressing import Cid, Codec, FileLimits, FileWalk
from shadow_atlas.environment import ConfigurationError
from shadow_atlas.gateways import GATEWAY_NAMES, GatewaySettings
from shadow_atlas.gateways.blocks import BlockDesk
from shadow_atlas.gateways.dialect import FOREIGN_BODIES, GatewayDialect
from shadow_atlas.gateways.snapshots import Snapshot, make_snapshots
from shadow_atlas.stand_ins.script_documents import ScriptRejected
from shadow_atlas.stand_ins.scripts import Body
from tests.shadow_atlas.service_process import TOKEN, StandIns

SNAPSHOTS = make_snapshots()
WISCONSIN = SNAPSHOTS[2]
PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "ipfs.md").read_text()
RAW = {"format": "raw"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield client


@pytest.fixture
def ask(gateways: StandIns, client: httpx.Client):
    def get(cid: object, name: str = "gateway_a", **params: str) -> httpx.Response:
        return client.get(f"{gateways.url(name)}/ipfs/{cid}", params=params or RAW)

    return get


def test_snapshots_are_the_same_bytes_each_time():
    assert make_snapshots() == SNAPSHOTS


@pytest.mark.parametrize("snapshot", SNAPSHOTS, ids=lambda each: each.state)
def test_a_snapshot_is_what_its_name_says(snapshot: Snapshot):
    walk = FileWalk(Cid.parse(snapshot.name), limits=FileLimits())
    for _, block in snapshot.file.blocks:
        walk.add(block)

    assert walk.content() == snapshot.content
    counties = json.loads(walk.content())["features"]
    assert all(county["properties"]["GEOID"] for county in counties)


def test_snapshots_have_every_form_that_a_reader_has_to_know():
    names = [snapshot.name[0] for snapshot in SNAPSHOTS]
    roots = {(each.file.root.codec, len(each.file.blocks) > 1) for each in SNAPSHOTS}

    assert set(names) == {"Q", "b", "z"}
    assert roots == {(Codec.RAW, False), (Codec.DAG_PB, False), (Codec.DAG_PB, True)}


def test_the_page_lists_the_snapshots_and_their_blocks():
    rows = re.findall(r"^\| (\w\w) \| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    # "a root, 2 nodes, 5 raw leaves" are 1 + 2 + 5 blocks
    counted = [
        (state, name, sum(map(int, re.findall(r"\d+", text.replace("a root", "1 root")))))
        for state, name, text in rows
    ]

    assert counted == [(each.state, each.name, len(each.file.blocks)) for each in SNAPSHOTS]


def test_a_desk_knows_the_number_of_each_block_in_its_file():
    desk = BlockDesk([WISCONSIN.file])

    places = [desk.locate(f"/ipfs/{cid}", RAW).block for cid, _ in WISCONSIN.file.blocks]

    assert places == list(range(len(WISCONSIN.file.blocks)))
    assert desk.locate("/ipfs/../etc", RAW).block is None


@pytest.mark.parametrize("body", [body for body in Body if body is not Body.TRICKLE])
def test_only_bodies_of_blocks_are_accepted(body):
    document = {"name": "x", "body": body.value}

    if body in FOREIGN_BODIES:
        with pytest.raises(ScriptRejected, match="a gateway has no"):
            GatewayDialect().read(document)
    else:
        assert GatewayDialect().read(document).what.body is body


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"page_size": 5}, "page_size"),
        ({"match": {"state": "WI"}, "hang": True}, "match.state: there is none here"),
        ({"match": {"layer": "county"}, "hang": True}, "match.layer: there is none here"),
        ({"match": {"block": -1}, "hang": True}, "block=-1"),
        ({"match": {"block": "0"}, "hang": True}, "block: expected a whole number"),
    ],
)
def test_a_script_that_means_nothing_here_is_refused(fields, problem):
    with pytest.raises(ScriptRejected, match=problem):
        GatewayDialect().read({"name": "x", **fields})


def test_only_the_three_gateways_can_be_played():
    with pytest.raises(ConfigurationError, match=", ".join(GATEWAY_NAMES)):
        GatewaySettings.from_environment({"ATLAS_SERVICE": "gateway_d", "ATLAS_PORT": "1"})


@pytest.mark.slow
@pytest.mark.parametrize("name", GATEWAY_NAMES)
def test_every_block_is_served_under_every_spelling_of_its_name(ask, name):
    for cid, block in WISCONSIN.file.blocks:
        for spelling in (str(cid), cid.base58()):
            response = ask(spelling, name)

            assert response.content == block
            assert response.headers["content-type"] == "application/vnd.ipld.raw"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        (Cid.of(b"nobody has this", Codec.RAW), RAW, 404),
        ("Qm", RAW, 400),
        ("%2e%2e", RAW, 400),
        (f"{WISCONSIN.name}/counties.json", RAW, 400),
        (WISCONSIN.name, {"format": "car"}, 406),
        (WISCONSIN.name, {"download": "true"}, 406),
    ],
)
def test_what_is_no_published_block_is_refused(ask, path, params, status):
    assert ask(path, **params).status_code == status


@pytest.mark.slow
def test_a_corrupt_block_differs_in_one_bit_and_others_not_at_all(ask, gateways):
    gateways.script("gateway_a", match={"block": 2}, body="corrupt")

    answers = [ask(cid).content for cid, _ in WISCONSIN.file.blocks]

    for number, (_, right) in enumerate(WISCONSIN.file.blocks):
        flipped = sum(
            (mine ^ theirs).bit_count() for mine, theirs in zip(right, answers[number], strict=True)
        )
        assert flipped == (1 if number == 2 else 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "check"),
    [
        ({"body": "truncated"}, lambda got, right: got == right[: len(right) // 2]),
        ({"body": "empty"}, lambda got, right: got == b"" != right),
        ({"body": "wrong_type"}, lambda got, right: got.startswith(b"<!doctype") and right),
        (
            {"body": "oversize", "size_bytes": 3_000_000},
            lambda got, right: len(got) == 3_000_000 and got.startswith(right),
        ),
        ({"body": "trickle", "bytes_per_s": 100_000}, lambda got, right: got == right),
        ({"latency_s": 0.05}, lambda got, right: got == right),
    ],
)
def test_a_wrong_body_comes_as_a_complete_answer(ask, gateways, script, check):
    gateways.script("gateway_a", **script)

    response = ask(WISCONSIN.name)

    assert response.status_code == 200
    assert check(response.content, WISCONSIN.file.blocks[0][1])


@pytest.mark.slow
def test_a_status_comes_with_an_error_and_its_retry_after(ask, gateways):
    gateways.script("gateway_a", status=503, retry_after_s=2)

    response = ask(WISCONSIN.name)

    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json() == {"error": "scripted failure"}


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "mid"])
def test_a_connection_is_cut_where_the_script_says(ask, gateways, when):
    gateways.script("gateway_a", close=when, first=1)

    with pytest.raises(httpx.RemoteProtocolError):
        ask(WISCONSIN.name)

    assert ask(WISCONSIN.name).status_code == 200


@pytest.mark.slow
def test_a_script_at_one_gateway_leaves_the_others_alone(ask, gateways):
    gateways.script("gateway_b", status=500)

    assert [ask(WISCONSIN.name, name).status_code for name in GATEWAY_NAMES] == [200, 500, 200]


@pytest.mark.slow
def test_what_was_received_is_counted_by_block(ask, gateways, client):
    for cid, _ in WISCONSIN.file.blocks:
        ask(cid, "gateway_c")
    received = gateways.received("gateway_c")

    summary = client.get(
        f"{gateways.url('gateway_c')}/chaos/received", headers={"x-atlas-chaos-token": TOKEN}
    ).json()

    assert [record["path"] for record in received] == [
        f"/ipfs/{cid}" for cid, _ in WISCONSIN.file.blocks
    ]
    assert set(summary["by_block"]) >= set(map(str, range(len(WISCONSIN.file.blocks))))


@pytest.mark.slow
def test_health_names_the_gateway_and_its_snapshots(gateways, client):
    document = client.get(f"{gateways.url('gateway_b')}/v1/health").json()

    assert document["gateway"] == "gateway_b"
    assert document["snapshots"] == [snapshot.name for snapshot in SNAPSHOTS]
