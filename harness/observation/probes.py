"""Read quantities of the system again and again; nothing is changed by it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from harness.clock import Clock
from harness.model.records import NS_PER_S, Probe
from harness.model.run import Recorder as Record
from harness.model.scenario import AnswerFormat, ProbeCondition, ProbeSpec
from harness.observation.background import beside
from harness.observation.json_values import flatten
from harness.observation.prometheus_values import read_metrics
from harness.plain_http import plain_client

ANSWER_WITHIN_S = 2.0  # real: what takes longer is itself the answer
_ANSWER_BYTES_MAX = 1 << 20
_READERS: Mapping[AnswerFormat, tuple[str, Callable[[bytes], Mapping[str, Any]]]] = {
    AnswerFormat.JSON: ("JSON", lambda content: flatten(json.loads(content))),
    AnswerFormat.PROMETHEUS: ("page of metrics", lambda content: read_metrics(content.decode())),
}


class Probes:
    """The newest answers of the probes of a run; made by `probing`."""

    def __init__(self) -> None:
        self._latest: dict[str, Probe] = {}

    def latest(self, name: str) -> Probe | None:
        """Return the newest answer of a probe; None before the first."""
        return self._latest.get(name)

    def holds(self, condition: ProbeCondition) -> bool:
        """Say whether a condition is true of the newest answer; without the value it is not."""
        answer = self.latest(condition.probe)
        if answer is None or condition.value not in answer.values:
            return False
        value, wanted = answer.values[condition.value], condition.equals
        if isinstance(value, bool) is not isinstance(wanted, bool):
            return False  # Python takes True for 1, JSON does not
        return bool(value == wanted)

    def put(self, answer: Probe) -> None:
        """Take a new answer."""
        self._latest[answer.probe] = answer


@asynccontextmanager
async def probing(
    specs: Sequence[ProbeSpec],
    *,
    addresses: Mapping[str, str],
    record: Record,
    clock: Clock,
    t0_ns: int,
) -> AsyncIterator[Probes]:
    """Run the probes while the context is open, each on its own grid of times.

    Args:
        specs: What to read; the first reading is at once.
        addresses: `host:port` of each service that is asked.
        record: Takes every answer, and every failure to get one.
        clock: Paces the readings.
        t0_ns: CLOCK_MONOTONIC at the start of the run.
    """
    probes = Probes()
    async with plain_client(timeout=ANSWER_WITHIN_S) as client:
        pollers = [
            _Poller(
                spec,
                client=client,
                url=httpx.URL(f"http://{addresses[spec.service]}{spec.path}"),
                clock=clock,
                t0_ns=t0_ns,
            )
            for spec in specs
        ]

        async def run(poller: _Poller) -> None:
            async for answer in poller.answers():
                probes.put(answer)
                record(answer)

        async with beside(*(run(poller) for poller in pollers)):
            yield probes


class _Poller:
    """Ask one service again and again."""

    def __init__(
        self,
        spec: ProbeSpec,
        *,
        client: httpx.AsyncClient,
        url: httpx.URL,
        clock: Clock,
        t0_ns: int,
    ) -> None:
        self._spec = spec
        self._client = client
        self._url = url
        self._clock = clock
        self._t0_ns = t0_ns

    async def answers(self) -> AsyncIterator[Probe]:
        """Yield an answer for each time of the grid; a slow answer skips those it covers."""
        every_ns = max(1, round(self._spec.every_s * NS_PER_S))
        due_ns = self._clock.now_ns()
        while True:
            yield await self._ask()
            due_ns += every_ns * max(1, -(-(self._clock.now_ns() - due_ns) // every_ns))
            await self._clock.sleep((due_ns - self._clock.now_ns()) / NS_PER_S)

    async def _ask(self) -> Probe:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._read()
        except TimeoutError:
            return self._failed(f"no answer within {ANSWER_WITHIN_S:g} s")
        except httpx.HTTPError as error:
            return self._failed(f"{type(error).__name__}: {error}")

    async def _read(self) -> Probe:
        async with self._client.stream("GET", self._url) as response:
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _ANSWER_BYTES_MAX:
                    error = f"the answer is longer than {_ANSWER_BYTES_MAX} bytes"
                    return self._failed(error, status=response.status_code)
        noun, read = _READERS[self._spec.format]
        try:
            values = read(content)
        except (ValueError, RecursionError) as error:
            return self._failed(f"the answer is no {noun}: {error}", status=response.status_code)
        return Probe(
            t_ns=self._elapsed_ns(),
            probe=self._spec.name,
            status=response.status_code,
            values=values,
        )

    def _failed(self, error: str, *, status: int | None = None) -> Probe:
        return Probe(t_ns=self._elapsed_ns(), probe=self._spec.name, status=status, error=error)

    def _elapsed_ns(self) -> int:
        return self._clock.now_ns() - self._t0_ns
