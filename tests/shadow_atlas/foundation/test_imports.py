"""Stand-ins are many in a system, so they import little: half a second of a processor is all."""

import subprocess
import sys

import pytest

HEAVY = ("fastapi", "pydantic", "httpx", "asyncpg")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["shadow_atlas.upstreams.app", "shadow_atlas.gateways.app"])
def test_a_stand_in_imports_nothing_that_it_does_not_need(module):
    program = f"import sys, {module}; print(*[n for n in {HEAVY!r} if n in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.split() == []
