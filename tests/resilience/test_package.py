"""The package stands alone: standard library only, typed, and importing it does nothing."""

import ast
import asyncio
import sys
from pathlib import Path

import resilience
from resilience import SystemClock
from resilience.clock import thread_cpu_s

ROOT = Path(resilience.__file__).parent


def imported_names(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            yield node.module


def test_only_the_standard_library_is_imported():
    allowed = sys.stdlib_module_names | {"resilience"}
    foreign = {
        (path.name, name)
        for path in ROOT.rglob("*.py")
        for name in imported_names(path)
        if name.partition(".")[0] not in allowed
    }

    assert foreign == set()


def test_only_the_clock_module_reads_clocks():
    readers = {path.name for path in ROOT.rglob("*.py") if "time" in set(imported_names(path))}

    assert readers == {"clock.py"}


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "py.typed").exists()


def test_every_public_name_is_there_and_sorted():
    assert all(hasattr(resilience, name) for name in resilience.__all__)
    assert len(set(resilience.__all__)) == len(resilience.__all__)


def test_the_system_clock_goes_forward_and_waits():
    async def main():
        clock = SystemClock()
        before_s = clock.monotonic()
        await clock.sleep(0.001)
        # The loop may wake a timer early by the resolution of its clock, never by a millisecond.
        assert clock.monotonic() > before_s
        assert clock.wall() > 1_700_000_000.0

    asyncio.run(main())


def test_cpu_time_grows_with_work():
    before_s = thread_cpu_s()
    sum(range(200_000))

    assert thread_cpu_s() > before_s
