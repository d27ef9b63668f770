"""Rules of the packet filter are laid, counted, lifted, and never believed without a look."""

import asyncio
import shlex
from dataclasses import dataclass, field

import pytest

from harness.environments.compose.engine import EngineRefused
from harness.environments.compose.network import partition_rules
from harness.environments.compose.packets import Packets, Rule
from harness.environments.journal import Journal, pending
from harness.model.errors import FaultNotApplied, FaultNotHealed

DROP = Rule(chain="OUTPUT", match=("-d", "10.0.0.2"), target=("DROP",))


@dataclass
class Filter:
    """The packet filter of one container, as far as iptables tells of it."""

    rules: list[tuple[str, str]] = field(default_factory=list)  # table and rule
    forgets: bool = False  # accepts what it is told, and does nothing
    keeps: bool = False  # says that it deletes, and does not
    scripts: list[str] = field(default_factory=list)

    async def run(self, _container: str, argv: list[str]) -> str:
        self.scripts.append(argv[-1])
        return "\n".join(self._answer(line) for line in argv[-1].splitlines())

    def _answer(self, line: str) -> str:
        words = shlex.split(line.removesuffix(" || true"))  # of a shell: what fails is read back
        if words[0] == "echo":
            return words[1]
        table, act, rule = words[4], words[5], " ".join(words[6:])
        if act == "-I" and not self.forgets:
            self.rules.append((table, rule))
        elif act == "-D" and not self.keeps and (table, rule) in self.rules:
            self.rules.remove((table, rule))
        elif act == "-v":
            return "\n".join(f"-A {one} -c 3 180 -j" for where, one in self.rules if where == table)
        return ""


class Unreachable:
    async def run(self, _container: str, _argv: list[str]) -> str:
        raise EngineRefused("no such image")


class Service:
    """What of a container the packet filter has to do with."""

    def __init__(self) -> None:
        self.name, self.container, self.is_running = "api", "c1", True
        self.turn = asyncio.Lock()
        self.renewals = []


def in_force(tmp_path, sidecars, inside=None, service=None, rules=(DROP,)):
    """Put rules in force, do something inside, and return what was applied."""

    async def body():
        target = service or Service()
        journal = Journal(tmp_path)
        try:
            packets = Packets(sidecars, journal=journal)
            async with packets.in_force(target, rules, act="drop it") as applied:
                if inside is not None:
                    await inside(target)
        finally:
            journal.close()
        return applied

    return asyncio.run(body())


def test_rules_are_laid_counted_and_lifted(tmp_path):
    found = Filter()

    async def look(_service) -> None:
        assert len(found.rules) == 1
        assert len(pending(tmp_path)) == 1

    applied = in_force(tmp_path, found, look)

    assert (applied.effects, found.rules, pending(tmp_path)) == (3, [], [])


def test_rules_of_several_tables_are_all_looked_at(tmp_path):
    nat = Rule(table="nat", chain="OUTPUT", match=("-d", "10.0.0.3"), target=("DNAT",))

    in_force(tmp_path, found := Filter(), rules=(DROP, nat))

    assert "-t filter -v -S" in found.scripts[0]
    assert "-t nat -v -S" in found.scripts[0]


def test_rules_that_are_not_read_back_are_no_fault(tmp_path):
    with pytest.raises(FaultNotApplied, match="accepted but are not in force"):
        in_force(tmp_path, Filter(forgets=True))


def test_rules_that_stay_are_no_heal(tmp_path):
    with pytest.raises(FaultNotHealed, match="still in force in api"):
        in_force(tmp_path, Filter(keeps=True))


def test_rules_are_lifted_after_an_error_inside(tmp_path):
    found = Filter()

    async def fail(_service) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_force(tmp_path, found, fail)

    assert found.rules == []


def test_an_engine_that_refuses_is_told_with_its_words(tmp_path):
    with pytest.raises(FaultNotHealed, match="packets of api: no such image"):
        in_force(tmp_path, Unreachable())


def test_a_service_that_does_not_run_has_no_packets(tmp_path):
    service = Service()
    service.is_running = False

    with pytest.raises(FaultNotApplied, match="service 'api' is not running"):
        in_force(tmp_path, Filter(), service=service)


def test_rules_end_with_a_service_that_has_died(tmp_path):
    async def die(service) -> None:
        service.is_running = False

    applied = in_force(tmp_path, found := Filter(), die)

    assert applied.effects == 0
    assert len(found.scripts) == 1


def test_rules_are_laid_again_for_each_start(tmp_path):
    found = Filter()
    service = Service()

    async def restart(service) -> None:
        found.rules.clear()
        for renew in service.renewals:
            await renew()
        assert len(found.rules) == 1

    in_force(tmp_path, found, restart, service=service)

    assert (found.rules, service.renewals) == ([], [])


def test_a_partition_names_one_peer_one_port_and_its_direction():
    rules = partition_rules("10.0.0.2", 7001, direction="both", answer="reject")

    marked = "-m comment --comment m -j REJECT --reject-with tcp-reset"
    assert [rule.command("-I", "m") for rule in rules] == [
        f"iptables -w 5 -t filter -I OUTPUT -p tcp -d 10.0.0.2 --dport 7001 {marked}",
        f"iptables -w 5 -t filter -I INPUT '!' -i lo -p tcp -s 10.0.0.2 --sport 7001 {marked}",
    ]
