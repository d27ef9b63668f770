"""What holds for all tests."""

import os

# On GitHub the runs that tests start would write their verdicts onto the page of the real step.
os.environ.pop("GITHUB_STEP_SUMMARY", None)
