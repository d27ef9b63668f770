"""The stand-ins as processes, started once per session by the first test that wants them."""

from collections.abc import Iterator

import pytest

from shadow_atlas.gateways import GATEWAY_NAMES
from tests.shadow_atlas.service_process import StandIns


@pytest.fixture(scope="session")
def shared_stand_ins(tmp_path_factory) -> Iterator[StandIns]:
    stand_ins = StandIns(tmp_path_factory.mktemp("stand_ins"))
    try:
        stand_ins.start()
        yield stand_ins
    finally:
        stand_ins.close()


@pytest.fixture
def stand_ins(shared_stand_ins: StandIns) -> StandIns:
    shared_stand_ins.begin()
    return shared_stand_ins


@pytest.fixture(scope="session")
def shared_gateways(tmp_path_factory) -> Iterator[StandIns]:
    gateways = StandIns(tmp_path_factory.mktemp("gateways"), module="gateways", names=GATEWAY_NAMES)
    try:
        gateways.start()
        yield gateways
    finally:
        gateways.close()


@pytest.fixture
def gateways(shared_gateways: StandIns) -> StandIns:
    shared_gateways.begin()
    return shared_gateways
