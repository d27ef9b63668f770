"""Run the ipfs service: `python -m shadow_atlas.ipfs`."""

import logging
import os
import sys

from shadow_atlas.ipfs.settings import IpfsSettings
from shadow_atlas.serving import run_service

if __name__ == "__main__":
    # httpx logs every request at INFO; the `attempt` records say the same and more.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    sys.exit(run_service(os.environ, read_settings=IpfsSettings.from_environment))
