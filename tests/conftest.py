"""What holds for all tests."""

import os

from hypothesis import HealthCheck, settings

# On GitHub the runs that tests start would write their verdicts onto the page of the real step.
os.environ.pop("GITHUB_STEP_SUMMARY", None)

# Each run of the tests tries the same examples, and none fails for being slow on a busy machine;
# `--hypothesis-profile=default` tries new ones.
settings.register_profile(
    "same-examples",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("same-examples")
