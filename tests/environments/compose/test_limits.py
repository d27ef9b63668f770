"""Limits of containers are lowered and granted back, and refused where they would harm."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from harness.environments.compose.limits import ContainerLimits
from harness.environments.compose.told import Granted
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed

WHOLE = Granted(cpu_period_us=100_000, cpu_quota_us=0, is_cpus=False, memory_bytes=None)


@dataclass
class Service:
    """A service that runs, in a container of the same name."""

    name: str = "api"
    container: str = "api"
    is_running: bool = True


@dataclass
class Engine:
    """An engine of one container, which may be deaf to what it is asked."""

    now: Granted = WHOLE
    throttled: int = 0
    deaf_to: tuple[int, ...] = ()
    asked_us: list[int] = field(default_factory=list)

    async def granted(self, _container):
        return self.now

    async def grant_cpu(self, _container, *, period_us, quota_us):
        self.asked_us.append(quota_us)
        if quota_us not in self.deaf_to:
            self.now = replace(self.now, cpu_period_us=period_us, cpu_quota_us=quota_us)

    async def throttled_periods(self, _container):
        return self.throttled


def limits(engine: Engine, folder) -> ContainerLimits:
    return ContainerLimits({"api": Service()}, engine=engine, journal=Journal(folder))


def inject(engine: Engine, folder, cores: float = 0.05, then=lambda _: None):
    async def hit():
        async with limits(engine, folder).cpu_quota("api", cores) as applied:
            then(engine)
        return applied

    return asyncio.run(hit())


@pytest.mark.parametrize("before_us", [0, 50_000])
def test_a_quota_is_a_share_of_the_period_and_becomes_what_it_was(tmp_path, before_us):
    engine = Engine(now=replace(WHOLE, cpu_quota_us=before_us))

    inject(engine, tmp_path)

    assert engine.asked_us == [5_000, before_us]
    assert engine.now.cpu_quota_us == before_us


@pytest.mark.parametrize(
    ("at_the_end", "effects"),
    [(7, 0), (12, 5), (3, 3)],  # the last one started anew, and its count with it
)
def test_an_effect_is_a_period_in_which_the_quota_was_used_up(tmp_path, at_the_end, effects):
    def go_on(engine):
        engine.throttled = at_the_end

    assert inject(Engine(throttled=7), tmp_path, then=go_on).effects == effects


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (replace(WHOLE, is_cpus=True), "made with `cpus`, beside which the engine takes no quota"),
        (replace(WHOLE, cpu_quota_us=5_000), "'api' is granted 0.05 processors: choose less"),
    ],
)
def test_a_quota_that_cannot_be_lowered_is_refused(tmp_path, now, why):
    engine = Engine(now=now)

    with pytest.raises(FaultNotApplied, match=why):
        inject(engine, tmp_path)

    assert engine.asked_us == []


def test_a_quota_that_does_not_take_hold_is_no_fault(tmp_path):
    with pytest.raises(FaultNotApplied, match="quota of 'api' is 0, not 5000"):
        inject(Engine(deaf_to=(5_000,)), tmp_path)


def test_a_quota_that_stays_is_not_healed(tmp_path):
    with pytest.raises(FaultNotHealed, match="quota of 'api' is 5000, not 0 again"):
        inject(Engine(deaf_to=(0,)), tmp_path)


def test_memory_is_not_exhausted_where_it_would_be_that_of_this_host(tmp_path):
    async def hit():
        async with limits(Engine(), tmp_path).oom_kill("api"):
            pass

    with pytest.raises(FaultNotApplied, match="no limit of memory and swap"):
        asyncio.run(hit())


def test_what_does_not_run_cannot_be_limited(tmp_path):
    with pytest.raises(FaultNotApplied, match="'batch' is not running"):
        limits(Engine(), tmp_path).cpu_quota("batch", 0.1)
