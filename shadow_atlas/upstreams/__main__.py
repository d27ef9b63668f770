"""Run one stand-in: `ATLAS_SERVICE=portal_wi python -m shadow_atlas.upstreams`."""

import os
import sys

from shadow_atlas.serving import run_service
from shadow_atlas.upstreams.settings import UpstreamSettings

if __name__ == "__main__":
    sys.exit(run_service(os.environ, read_settings=UpstreamSettings.from_environment))
