"""Act on how services resolve names: on their questions to the server that Docker gives them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from harness.clock import Clock
from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import EngineRefused
from harness.environments.compose.packets import Packets, Rule
from harness.environments.compose.project import project_name
from harness.environments.compose.sidecars import Sidecars
from harness.environments.compose.targets import started
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied, Effect

_SERVER, _PORT = "127.0.0.11", 53  # in every container that is on a network with a name
_SLOW, _SLOW_PORT = "127.0.0.12", 5353  # loopback as well, and nobody's
_SLOW_PROGRAM = Path(__file__).with_name("slow_resolver.py")
_READY_WITHIN_S = 10.0  # the start of an interpreter took 0.4 s
_POLL_S = 0.05

# Not by /etc/resolv.conf, which is read-only in a container whose file system is. Docker rewrites
# the port of questions before they pass the filter, so the rules name none.
_FAILURES = {
    # Told on the way out: the socket of whoever asks is refused.
    "refuse": Rule(chain="OUTPUT", match=("-d", _SERVER), target=("REJECT",)),
    # Lost on the way in: lost on the way out, the kernel would tell whoever asks.
    "silence": Rule(chain="INPUT", match=("-d", _SERVER), target=("DROP",)),
}
# Ahead of Docker's own rule, and not for what the slow resolver asks.
_REDIRECT = Rule(
    table="nat",
    chain="OUTPUT",
    match=("!", "-s", _SLOW, "-d", _SERVER, "-p", "udp", "--dport", str(_PORT)),
    target=("DNAT", "--to-destination", f"{_SLOW}:{_SLOW_PORT}"),
)


class ContainerNames:
    """The resolution of names in the containers of one run.

    Args:
        services: The containers of the services, by name.
        packets: Their packet filters.
        sidecars: Runs the slow resolver beside a container.
        run_id: Part of the names of what is run beside them.
        journal: Takes the undo before each act.
        clock: Clock of the run.
    """

    def __init__(
        self,
        services: Mapping[str, ServiceContainer],
        *,
        packets: Packets,
        sidecars: Sidecars,
        run_id: str,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._services = services
        self._packets = packets
        self._sidecars = sidecars
        self._run_id = run_id
        self._journal = journal
        self._clock = clock
        self._numbers = count(1)

    def fail(self, service: str, how: str) -> Effect:
        """Refuse each question for a name, or lose it; effects are the packets that met that."""
        act = f"{how} names of {service}"
        return self._packets.in_force(started(self._services, service), [_FAILURES[how]], act=act)

    def delay(self, service: str, delay_s: float) -> Effect:
        """Send questions to a resolver beside the service that holds each one; effects are theirs.

        Questions over TCP, which follow an answer too large for a packet, are not held.
        """
        return self._delayed(started(self._services, service), delay_s)

    @asynccontextmanager
    async def _delayed(self, service: ServiceContainer, delay_s: float) -> AsyncIterator[Applied]:
        name = f"{project_name(self._run_id)}-slow-names-{next(self._numbers)}"

        async def begin() -> None:
            await self._begin(service, name, delay_s)

        act = f"delay names of {service.name} by {delay_s:g} s"
        with self._journal.undoing(f"start {name}", {"kind": "ends_with_process"}):
            try:
                async with service.turn:
                    await begin()
                    service.renewals.append(begin)
                async with self._packets.in_force(service, [_REDIRECT], act=act) as applied:
                    yield applied
                    await self._demand_alive(name)
            finally:
                if begin in service.renewals:
                    service.renewals.remove(begin)
                await self._end(name)

    async def _begin(self, service: ServiceContainer, name: str, delay_s: float) -> None:
        """Start the slow resolver, in place of one that an earlier incarnation left behind."""
        program = _SLOW_PROGRAM.read_text(encoding="utf-8")
        where = (_SLOW, str(_SLOW_PORT), _SERVER, str(_PORT), repr(delay_s))
        try:
            await self._sidecars.remove(name)
            await self._sidecars.start(
                service.container, ["python3", "-c", program, *where], name=name
            )
            for _ in range(int(_READY_WITHIN_S / _POLL_S)):
                if "ready" in await self._sidecars.said(name):
                    return
                await self._clock.sleep(_POLL_S)
        except EngineRefused as error:
            raise FaultNotApplied(f"slow resolver of {service.name}: {error}") from error
        raise FaultNotApplied(f"the slow resolver of {service.name} took more than 10 s to start")

    async def _demand_alive(self, name: str) -> None:
        try:
            await self._sidecars.said(name)
        except EngineRefused as error:
            raise FaultNotHealed(f"names were refused, not late: {error}") from error

    async def _end(self, name: str) -> None:
        try:
            await self._sidecars.remove(name)
        except EngineRefused as error:
            raise FaultNotHealed(f"slow resolver {name}: {error}") from error
