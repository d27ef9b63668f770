"""Say what crossed the proxy and what the toxics did to it, never more than a check can use."""

import asyncio
from dataclasses import dataclass

from fault_injectors.proxy.event_log import EventLog
from fault_injectors.toxics import Effect, Stream
from harness.clock import Clock

CHUNK_WINDOW_S = 0.005  # chunks this close together are one record
EFFECT_PAUSE_NS = 100_000_000  # after the first on a connection, one record of a toxic per 100 ms


@dataclass(slots=True, kw_only=True)
class Traffic:
    """What arrived on one stream of one connection.

    Args:
        proxy: Name of the proxy.
        connection: Ordinal of the connection in that proxy, from 0.
        stream: Direction.
        total_bytes: Everything that arrived from the sender.
        fresh_bytes: What no record tells of yet.
        fresh_since_ns: When the first of them arrived.
    """

    proxy: str
    connection: int
    stream: Stream
    total_bytes: int = 0
    fresh_bytes: int = 0
    fresh_since_ns: int = 0


class Evidence:
    """Turn what happens on the data path into events."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._fresh: list[Traffic] = []
        self._flush_handle: asyncio.TimerHandle | None = None
        self._effect_ns: dict[tuple[str, str], int] = {}

    def arrived(self, traffic: Traffic, size_bytes: int, now_ns: int) -> None:
        """Count bytes that a sender sent; they are in the record some milliseconds later."""
        traffic.total_bytes += size_bytes
        if not traffic.fresh_bytes:
            traffic.fresh_since_ns = now_ns
            self._fresh.append(traffic)
            if self._flush_handle is None:
                loop = asyncio.get_running_loop()
                self._flush_handle = loop.call_later(CHUNK_WINDOW_S, self._flush)
        traffic.fresh_bytes += size_bytes

    def settle(self, traffic: Traffic) -> None:
        """Write what no record tells of yet, so that it precedes what is emitted next."""
        if traffic.fresh_bytes:
            self._log.emit(
                "chunk",
                at_ns=traffic.fresh_since_ns,
                proxy=traffic.proxy,
                connection=traffic.connection,
                stream=traffic.stream,
                bytes=traffic.fresh_bytes,
            )
            traffic.fresh_bytes = 0

    def drawn(self, traffic: Traffic, toxic: str, value: float, *, acts: bool) -> None:
        """Record what chance decided for a toxic on a connection."""
        self._log.emit(
            "draw",
            proxy=traffic.proxy,
            connection=traffic.connection,
            stream=traffic.stream,
            toxic=toxic,
            value=value,
            acted=acts,
        )

    def acted(self, traffic: Traffic, toxic: str, effect: Effect, *, is_first: bool) -> None:
        """Record what a toxic did, unless it is a repetition within the pause."""
        now_ns = self._clock.now_ns()
        key = (traffic.proxy, toxic)
        if not is_first and now_ns - self._effect_ns.get(key, 0) < EFFECT_PAUSE_NS:
            return
        self._effect_ns[key] = now_ns
        self._log.emit(
            "toxic_effect",
            proxy=traffic.proxy,
            toxic=toxic,
            connection=traffic.connection,
            stream=traffic.stream,
            what=effect,
        )

    def connection(self, what: str, *, client: str, upstream: Traffic, downstream: Traffic) -> None:
        """Record that a connection opened, closed, or found no upstream."""
        self.settle(upstream)
        self.settle(downstream)
        self._log.emit(
            "connection",
            proxy=upstream.proxy,
            connection=upstream.connection,
            what=what,
            client=client,
            bytes_upstream=upstream.total_bytes,
            bytes_downstream=downstream.total_bytes,
        )

    def toxic_changed(self, proxy: str, *, toxic: str, toxic_type: str, what: str) -> None:
        """Record that a toxic was added, updated or removed, on every live connection too."""
        self._log.emit("toxic", proxy=proxy, toxic=toxic, type=toxic_type, what=what)

    def proxy_switched(self, proxy: str, *, enabled: bool, connections_cut: int) -> None:
        """Record that a proxy began or ceased to listen."""
        self._log.emit("proxy_state", proxy=proxy, enabled=enabled, connections_cut=connections_cut)

    def close(self) -> None:
        """Write what is left."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
        self._flush()

    def _flush(self) -> None:
        self._flush_handle = None
        for traffic in self._fresh:
            self.settle(traffic)
        self._fresh.clear()
