"""A service that starts yields to others, and has its share when it is ready and ever after."""

import asyncio
import errno
from pathlib import Path

import pytest

from harness.environments import priority
from harness.environments.services import ServiceProcess
from tests.environments.conftest import tiny

# Without them there is nothing to see: what happens then, nothing, is tested below on every kernel.
needs_autogroups = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(),
    reason="NOT RUN: this kernel has no autogroups, so starts yield to nobody",
)


class Paced:
    """A clock that notes how long it was waited on."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    async def sleep(self, delay_s: float) -> None:
        self.slept_s.append(delay_s)


def nice_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/autogroup").read_text().split()[-1])


@pytest.mark.slow
@needs_autogroups
def test_a_service_yields_while_it_starts_and_not_afterwards(surroundings, monkeypatch):
    seen = []
    wait = ServiceProcess._wait_until

    async def looking(self, is_ready):
        seen.append(nice_of(self.pid))
        await wait(self, is_ready)

    monkeypatch.setattr(ServiceProcess, "_wait_until", looking)

    async def run():
        async with surroundings(tiny("a")) as made:
            seen.append(nice_of(made.services["a"].pid))
            async with made.processes().kill("a"):
                pass
            seen.append(nice_of(made.services["a"].pid))

    asyncio.run(run())

    assert seen == [10, 0, 0, 0]  # starting, ready; and a restart is measured from its begin


@pytest.fixture
def kernel(monkeypatch):
    """Let the kernel answer to each change what a test says; return the values it was told."""
    answers: list[int] = []
    told: list[int] = []

    def answer(_pid: int, nice: int) -> None:
        told.append(nice)
        if code := answers.pop(0):
            raise OSError(code, "refused")

    monkeypatch.setattr(priority, "_set", answer)
    return answers, told


def test_a_kernel_without_autogroups_changes_nothing(kernel):
    answers, told = kernel
    answers += [errno.ENOENT, errno.ENOENT]
    clock = Paced()

    assert not priority.lower(1)
    asyncio.run(priority.restore(1, clock))

    assert told == [10, 0]
    assert clock.slept_s == []


def test_a_kernel_that_was_asked_too_often_is_asked_again(kernel):
    answers, told = kernel
    answers += [errno.EAGAIN, errno.EAGAIN, 0]
    clock = Paced()

    asyncio.run(priority.restore(1, clock))

    assert told == [0, 0, 0]
    assert clock.slept_s == [0.1, 0.1]
