"""Keep packets from a container: rules of the packet filter in its own network."""

import re
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import EngineRefused
from harness.environments.compose.sidecars import Sidecars
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied

_IPTABLES = "iptables -w 5"  # seconds for whoever else is about to change the rules
_COUNTED = re.compile(r"-c (\d+) \d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of the packet filter, in the words of iptables(8).

    Args:
        chain: `OUTPUT` for what the service sends, `INPUT` for what comes to it.
        match: Which packets it is about.
        target: What happens to them.
        table: `filter`, or `nat`, which sees the first packet of a conversation only.
    """

    chain: str
    match: Sequence[str]
    target: Sequence[str]
    table: str = "filter"

    def command(self, act: str, mark: str) -> str:
        """Return the command that inserts (`-I`) or deletes (`-D`) it, found by its mark."""
        words = ["-t", self.table, act, self.chain, *self.match]
        return f"{_IPTABLES} {shlex.join([*words, '-m', 'comment', '--comment', mark])} -j " + (
            shlex.join(self.target)
        )


class Packets:
    """The packet filters of the containers of one run.

    A container has a network of its own, so its rules are nobody else's, and end with it.

    Args:
        sidecars: Runs iptables in the network of a container.
        journal: Takes the undo before each act.
    """

    def __init__(self, sidecars: Sidecars, *, journal: Journal) -> None:
        self._sidecars = sidecars
        self._journal = journal
        self._marks = count(1)

    @asynccontextmanager
    async def in_force(
        self, service: ServiceContainer, rules: Sequence[Rule], *, act: str
    ) -> AsyncIterator[Applied]:
        """Keep rules in force, also when the service is started anew; its effects are packets.

        Raises:
            FaultNotApplied: If the service does not run or a rule is not read back.
            FaultNotHealed: If a rule is still there afterwards.
        """
        mark = f"atlas-{next(self._marks)}"

        async def lay() -> None:
            await self._lay(service, rules, mark)

        with self._journal.undoing(act, {"kind": "ends_with_process"}):
            applied = Applied(read_back=f"{act} (in the packet filter as {mark})")
            try:
                async with service.turn:
                    await lay()
                    service.renewals.append(lay)
                yield applied
            finally:
                async with service.turn:
                    if lay in service.renewals:
                        service.renewals.remove(lay)
                    if service.is_running:  # else its rules have ended with its network
                        await self._lift(service, rules, mark, applied)

    async def _lay(self, service: ServiceContainer, rules: Sequence[Rule], mark: str) -> None:
        if not service.is_running:
            raise FaultNotApplied(f"service {service.name!r} is not running")
        insert = [rule.command("-I", mark) for rule in rules]
        try:
            said = await self._shell(service, [*insert, *_listing(rules)])
        except EngineRefused as error:
            raise FaultNotApplied(f"packets of {service.name}: {error}") from error
        if len(_counters(said, mark)) != len(rules):
            raise FaultNotApplied(f"rules {mark} were accepted but are not in force: {said}")

    async def _lift(
        self, service: ServiceContainer, rules: Sequence[Rule], mark: str, applied: Applied
    ) -> None:
        """Read the counters, delete the rules and read back that they are gone."""
        # A rule that was never laid cannot be deleted, and must not keep the others in force; what
        # is left of any is read back below.
        delete = [f"{rule.command('-D', mark)} || true" for rule in rules]
        lines = [*_listing(rules), *delete, "echo after", *_listing(rules)]
        try:
            said = await self._shell(service, lines)
        except EngineRefused as error:
            raise FaultNotHealed(f"packets of {service.name}: {error}") from error
        counted, _, left = said.rpartition("after")
        applied.effects = sum(_counters(counted, mark))
        applied.effect = f"{applied.effects} packets of {service.name} met it"
        if _counters(left, mark):
            raise FaultNotHealed(f"rules {mark} are still in force in {service.name}: {left}")

    async def _shell(self, service: ServiceContainer, lines: Sequence[str]) -> str:
        return await self._sidecars.run(service.container, ["sh", "-ec", "\n".join(lines)])


def _listing(rules: Sequence[Rule]) -> list[str]:
    """Return the commands that list the tables of rules, with their counters."""
    return [f"{_IPTABLES} -t {table} -v -S" for table in dict.fromkeys(r.table for r in rules)]


def _counters(listed: str, mark: str) -> list[int]:
    """Return how many packets each rule with a mark has met.

    >>> _counters("-A INPUT -m comment --comment atlas-1 -c 4 220 -j DROP", "atlas-1")
    [4]
    """
    rules = (line for line in listed.splitlines() if f"--comment {mark} " in line)
    return [int(found[1]) for line in rules if (found := _COUNTED.search(line))]
