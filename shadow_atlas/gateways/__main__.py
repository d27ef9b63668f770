"""Run one gateway: `ATLAS_SERVICE=gateway_a python -m shadow_atlas.gateways`."""

import os
import sys

from shadow_atlas.gateways.settings import GatewaySettings
from shadow_atlas.serving import run_service

if __name__ == "__main__":
    sys.exit(run_service(os.environ, read_settings=GatewaySettings.from_environment))
