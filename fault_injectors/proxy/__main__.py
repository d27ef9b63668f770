"""`python -m fault_injectors.proxy`: the embedded TCP fault proxy as a process."""

import asyncio
import os
import sys

from fault_injectors.proxy.process import serve
from fault_injectors.proxy.settings import parse_settings

if __name__ == "__main__":
    sys.exit(asyncio.run(serve(parse_settings(sys.argv[1:], os.environ))))
