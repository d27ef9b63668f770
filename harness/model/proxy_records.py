"""Records that the fault proxy writes: what really crossed a link, and what was done to it."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConnection:
    """The fault proxy opened or closed a connection of a link."""

    kind: ClassVar[str] = "connection"
    t_ns: int
    proxy: str
    connection: int
    what: str
    bytes_upstream: int | None = None
    bytes_downstream: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyChunk:
    """Data of a link arrived at the fault proxy."""

    kind: ClassVar[str] = "chunk"
    t_ns: int
    proxy: str
    connection: int
    stream: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyState:
    """The fault proxy enabled or disabled a link, and cut so many connections."""

    kind: ClassVar[str] = "proxy_state"
    t_ns: int
    proxy: str
    enabled: bool
    connections_cut: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicEffect:
    """A toxic was seen to act on data of a link."""

    kind: ClassVar[str] = "toxic_effect"
    t_ns: int
    proxy: str
    toxic: str
    connection: int
    stream: str
    what: str
