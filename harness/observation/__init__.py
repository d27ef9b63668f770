"""Observe a run: record what the harness sees, and merge what all others wrote about themselves."""

from harness.observation.clock_offset import ClockOffset, ClockReading, estimate_offset
from harness.observation.event_stream import EventStream, read_events
from harness.observation.followed_services import following_services
from harness.observation.http_events import HttpEvents, following
from harness.observation.lag import sample_lag
from harness.observation.live import LiveBreakers
from harness.observation.probes import Probes, probing
from harness.observation.recorder import Recorder, in_order, read_operations

__all__ = [
    "ClockOffset",
    "ClockReading",
    "EventStream",
    "HttpEvents",
    "LiveBreakers",
    "Probes",
    "Recorder",
    "estimate_offset",
    "following",
    "following_services",
    "in_order",
    "probing",
    "read_events",
    "read_operations",
    "sample_lag",
]
