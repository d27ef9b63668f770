"""The ipfs service as a process: signals, restarts, configuration."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.shadow_atlas.ipfs.rig import WISCONSIN
from tests.shadow_atlas.service_process import PROJECT, ServiceProcess, StandIns

pytestmark = pytest.mark.slow

SYNC = f"/v1/snapshots/{WISCONSIN.name}/sync"
READ = f"/v1/snapshots/{WISCONSIN.name}"


@contextmanager
def ipfs(folder: Path, gateways: StandIns, **variables: str) -> Iterator[ServiceProcess]:
    service = ServiceProcess(
        "ipfs",
        name="ipfs",
        folder=folder,
        ATLAS_TIME_SCALE="0.1",
        **gateways.variables,
        **variables,
    )
    try:
        service.start()
        service.wait_until_ready()
        yield service
    finally:
        service.close()


def test_snapshots_in_a_folder_survive_a_kill(gateways, tmp_path):
    kept = str(tmp_path / "snapshots")
    with ipfs(tmp_path, gateways, ATLAS_SNAPSHOT_DIR=kept) as service:
        answer = httpx.post(service.url + SYNC, trust_env=False, timeout=10)
        service.kill()

    with ipfs(tmp_path, gateways, ATLAS_SNAPSHOT_DIR=kept, ATLAS_INCARNATION="2") as service:
        content = httpx.get(service.url + READ, trust_env=False, timeout=10).content

    assert answer.json()["size_bytes"] == len(WISCONSIN.content)
    assert content == WISCONSIN.content


def test_a_stop_does_not_wait_for_a_gateway_that_hangs(gateways, tmp_path):
    gateways.script("gateway_a", hang=True)
    with ipfs(tmp_path, gateways) as service:
        caller = Thread(target=_sync_and_be_cut_off, args=(service.url,))
        caller.start()
        while not any(each["decision"] == "admitted" for each in service.events("bulkhead")):
            service.pause()

        service.terminate()

        assert service.wait() == 0  # within 20 s; the grace is 1.2 s, three gateways take 30 s
        caller.join(timeout=10)
        assert not caller.is_alive()
        assert [each["what"] for each in service.events("process")] == [
            "started",
            "ready",
            "stopping",
            "stopped",
        ]


def _sync_and_be_cut_off(url: str) -> None:
    try:
        httpx.post(url + SYNC, trust_env=False, timeout=30)
    except httpx.HTTPError:
        return  # whether it is told or cut off is not what is tested


def test_a_wrong_configuration_is_told_in_full():
    ended = subprocess.run(
        [sys.executable, "-m", "shadow_atlas.ipfs"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "ATLAS_GATEWAY_B_ADDRESS": "nowhere"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert [line.split(":")[0] for line in ended.stderr.splitlines()] == [
        "ATLAS_SERVICE",
        "ATLAS_PORT",
        "ATLAS_GATEWAY_A_ADDRESS",
        "ATLAS_GATEWAY_B_ADDRESS",
        "ATLAS_GATEWAY_C_ADDRESS",
    ]
