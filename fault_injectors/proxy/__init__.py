"""The embedded TCP fault proxy: Toxiproxy's control API over the project's own toxics.

`python -m fault_injectors.proxy` runs it as a process of its own. It differs from the vendor's
server where that would hurt an experiment: draws are seeded, nothing that a data path does can
block the API, unknown or impossible values are refused, and an event file tells what crossed.
"""

from fault_injectors.proxy.process import serve
from fault_injectors.proxy.settings import PORT_DEFAULT, Settings, parse_settings

__all__ = ["PORT_DEFAULT", "Settings", "parse_settings", "serve"]
