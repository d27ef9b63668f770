"""Run the api service: `python -m shadow_atlas.api`."""

import os
import sys

from shadow_atlas.serving import run_service
from shadow_atlas.settings import ApiSettings

if __name__ == "__main__":
    sys.exit(run_service(os.environ, read_settings=ApiSettings.from_environment))
