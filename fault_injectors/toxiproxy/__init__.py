"""Drive a fault proxy, the embedded one or the vendor's server, through one typed client.

toxiproxy-python is the transport. On top of it: deadlines on every call, validation before sending,
reading back after every change, one error tree, and the life cycle of a process of our own.
"""

from fault_injectors.toxiproxy.client import ToxiproxyClient
from fault_injectors.toxiproxy.errors import (
    ProxyError,
    ProxyExists,
    ProxyNotFound,
    ProxyNotStarted,
    ProxyRefused,
    ProxyUnreachable,
    ProxyWedged,
    ReadBackDiffers,
    ToxicRefused,
)
from fault_injectors.toxiproxy.programs import find_toxiproxy_server
from fault_injectors.toxiproxy.rules import ProxyCapabilities, capabilities, check_toxic
from fault_injectors.toxiproxy.server import ProxyServer
from fault_injectors.toxiproxy.transport import Transport
from fault_injectors.toxiproxy.values import Proxy, ProxyKind

__all__ = [
    "Proxy",
    "ProxyCapabilities",
    "ProxyError",
    "ProxyExists",
    "ProxyKind",
    "ProxyNotFound",
    "ProxyNotStarted",
    "ProxyRefused",
    "ProxyServer",
    "ProxyUnreachable",
    "ProxyWedged",
    "ReadBackDiffers",
    "ToxicRefused",
    "ToxiproxyClient",
    "Transport",
    "capabilities",
    "check_toxic",
    "find_toxiproxy_server",
]
