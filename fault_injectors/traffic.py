"""What all faults on the traffic of a link have in common: stream, share and whole units.

Source: the units and ranges of Toxiproxy 2.12 (https://github.com/Shopify/toxiproxy, README,
"Toxics"), which validates nearly nothing itself: every attribute is a whole number.
"""

from harness.model.fault import Capability
from harness.model.fields import Kind, meta

MILLISECOND_S = 0.001  # the smallest delay that Toxiproxy can be told
HOUR_S = 3600.0  # longer than any run of ours, and far below what overflows a timer

LINK = meta(Kind.LINK, "the client and the server between which it acts")
STREAM = meta(
    Kind.CHOICE,
    "the direction: upstream is client to server, downstream is server to client",
    choices=("upstream", "downstream"),
)
SHARE = meta(
    Kind.RATIO,
    "share of connections that it acts on, chosen by the seed; a pooled connection is hit for "
    "all of its requests or for none",
    minimum=0.001,  # one in a thousand: fewer connections than that no load of ours opens
    maximum=1.0,
)


def network_needs(share_ratio: float) -> frozenset[Capability]:
    """Return what a fault needs that acts on this share of a link's connections."""
    if share_ratio < 1.0:
        return frozenset({Capability.NETWORK, Capability.NETWORK_SHARE})
    return frozenset({Capability.NETWORK})


def whole_ms(duration_s: float) -> int:
    """Return the nearest whole number of milliseconds, at least 1 for what is not nothing.

    >>> whole_ms(0.25), whole_ms(0.0001), whole_ms(0.0)
    (250, 1, 0)
    """
    return max(round(duration_s * 1e3), 1 if duration_s > 0 else 0)


def whole_us(duration_s: float) -> int:
    """Return the nearest whole number of microseconds, at least 1 for what is not nothing.

    >>> whole_us(0.01)
    10000
    """
    return max(round(duration_s * 1e6), 1 if duration_s > 0 else 0)


def whole_kilobytes_per_s(rate_bytes_per_s: float) -> int:
    """Return the nearest whole number of 1000 bytes a second, at least 1: 0 would be a stall.

    >>> whole_kilobytes_per_s(64 * 1024), whole_kilobytes_per_s(300)
    (66, 1)
    """
    return max(round(rate_bytes_per_s / 1000), 1)
