"""What a user waits for before the command line says anything, as a ratio to a bare interpreter.

python -m pytest benchmarks/test_cli_startup.py --benchmark-only
"""

import subprocess
import sys

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.clock import SystemClock
from harness.model.records import NS_PER_S

# Help is to appear within 0.3 s, where a bare interpreter takes 15 ms. It takes 9 of these; the
# bound leaves room for a new option, not for the import of a library such as rich or httpx.
HELP_RATIO_MAX = 20.0
ROUNDS = 7


def seconds_of(*arguments: str) -> float:
    """Return the shortest of several starts: what else the machine does only ever adds."""
    clock = SystemClock()
    taken = []
    for _ in range(ROUNDS):
        started_ns = clock.now_ns()
        command = [sys.executable, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own
        taken.append((clock.now_ns() - started_ns) / NS_PER_S)
    return min(taken)


@pytest.mark.slow
@pytest.mark.parametrize("command", [["--help"], ["run", "--help"]], ids=" ".join)
def test_help_starts_within_a_few_bare_interpreters(
    benchmark: BenchmarkFixture, command: list[str]
):
    bare_s = seconds_of("-c", "pass")

    help_s = benchmark.pedantic(seconds_of, args=("-P", "-m", "harness.cli", *command), rounds=1)

    benchmark.extra_info["bare_s"] = bare_s
    benchmark.extra_info["help_s"] = help_s
    benchmark.extra_info["ratio"] = help_s / bare_s
    assert help_s / bare_s <= HELP_RATIO_MAX
