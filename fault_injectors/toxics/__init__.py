"""Toxics: what a fault does to the bytes of a connection, the same in real and in virtual time.

Standard library only; imports nothing else of the project. A `Toxic` says what to do, a `Pipe` is
one direction of a connection that does it. Nothing here does I/O, reads a clock or shares a
generator: time is handed in as integer nanoseconds, chance as a function of what it is drawn for.

The semantics are those of Toxiproxy 2.12 (https://github.com/Shopify/toxiproxy); the reference page
of the toxics lists where they differ on purpose.
"""

from fault_injectors.toxics.attributes import Attributes
from fault_injectors.toxics.bandwidth import Bandwidth
from fault_injectors.toxics.catalogue import (
    BEHAVIOURS,
    behaviour_from,
    find_behaviour,
    suggestion,
)
from fault_injectors.toxics.chance import Chance, SeededChance, draw_toxicity, float32
from fault_injectors.toxics.latency import Latency
from fault_injectors.toxics.limit_data import LimitData
from fault_injectors.toxics.noop import Noop
from fault_injectors.toxics.pipe import CHUNK_BYTES_MAX, Pipe, Sink
from fault_injectors.toxics.reset_peer import ResetPeer
from fault_injectors.toxics.slicer import Slicer
from fault_injectors.toxics.slot import Observer
from fault_injectors.toxics.slow_close import SlowClose
from fault_injectors.toxics.stage import (
    NEVER_NS,
    Chunk,
    Effect,
    Ending,
    Hand,
    Item,
    Memory,
    Stage,
    Step,
    Steps,
    Stream,
    Traits,
    Wait,
)
from fault_injectors.toxics.timeout import Timeout
from fault_injectors.toxics.toxic import Behaviour, Toxic, is_addressable, on_stream

__all__ = [
    "BEHAVIOURS",
    "CHUNK_BYTES_MAX",
    "NEVER_NS",
    "Attributes",
    "Bandwidth",
    "Behaviour",
    "Chance",
    "Chunk",
    "Effect",
    "Ending",
    "Hand",
    "Item",
    "Latency",
    "LimitData",
    "Memory",
    "Noop",
    "Observer",
    "Pipe",
    "ResetPeer",
    "SeededChance",
    "Sink",
    "Slicer",
    "SlowClose",
    "Stage",
    "Step",
    "Steps",
    "Stream",
    "Timeout",
    "Toxic",
    "Traits",
    "Wait",
    "behaviour_from",
    "draw_toxicity",
    "find_behaviour",
    "float32",
    "is_addressable",
    "on_stream",
    "suggestion",
]
