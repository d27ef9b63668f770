"""Run the batch service: `python -m shadow_atlas.batch`."""

import os
import sys

from shadow_atlas.batch.settings import BatchSettings
from shadow_atlas.serving import run_service

if __name__ == "__main__":
    sys.exit(run_service(os.environ, read_settings=BatchSettings.from_environment))
