"""Why a scenario cannot run in containers, or would mean something else there."""

from collections.abc import Iterator, Mapping

from fault_injectors.toxiproxy import ProxyKind
from harness.environments.compose import machine
from harness.environments.compose.machine import Machine
from harness.environments.compose.stack import Stack, find_file, helpers_of
from harness.model.errors import MissingDependency
from harness.model.fault import Capability
from harness.model.scenario import Scenario
from harness.model.system import EventSource, ServiceKind

_OFFERED = frozenset(
    {
        Capability.NETWORK,
        Capability.PROCESS,
        Capability.RESOURCE,
        Capability.IN_PROCESS,
        Capability.UPSTREAM,
        Capability.PACKET,
        Capability.DNS,
        Capability.ATTACHMENT,
        Capability.LIMIT,
        Capability.DISK,
        Capability.CLOCK,
    }
)
_WHY_NOT: Mapping[Capability, str] = {
    Capability.NETWORK_SHARE: "the vendor's Toxiproxy does not draw connections by the run's seed",
}
_BESIDE = frozenset({"partition", "dns_failure", "dns_delay"})  # faults that run tools


def offered(proxy: ProxyKind) -> frozenset[Capability]:
    """Return the capabilities of containers behind a fault proxy."""
    if proxy is ProxyKind.EMBEDDED:
        return _OFFERED | {Capability.NETWORK_SHARE}
    return _OFFERED


def proxy_for(scenario: Scenario) -> ProxyKind:
    """Return the vendor's Toxiproxy, unless a scenario needs what the embedded proxy alone does."""
    vendors = ProxyKind.TOXIPROXY
    lacking = [*_faults(scenario, vendors), *_checks(scenario, vendors)]
    beyond = [*_faults(scenario, ProxyKind.EMBEDDED)]
    return vendors if lacking == beyond else ProxyKind.EMBEDDED


def of_scenario(scenario: Scenario, proxy: ProxyKind) -> list[str]:
    """Return what of a scenario cannot mean the same in containers; nothing is asked."""
    lacking = (*_faults(scenario, proxy), *_services(scenario), *_checks(scenario, proxy))
    return list(dict.fromkeys(lacking))


def of_machine(scenario: Scenario, proxy: ProxyKind) -> list[str]:
    """Return what this machine lacks for a scenario, with what to do about it."""
    try:
        found = machine.find_machine()
        stack = stack_for(scenario, found)
    except MissingDependency as error:
        return [str(error)]
    names, helpers = scenario.services(), helpers_of(scenario, proxy)
    unknown = machine.unknown_services(stack, [*names, *helpers])
    beside = any(entry.fault.name in _BESIDE for entry in scenario.timeline)
    lacking = machine.lacking_images(stack, names, helpers, found, needs_tools=beside)
    return unknown or [*lacking, *_disks(scenario, stack)]


def stack_for(scenario: Scenario, found: Machine) -> Stack:
    """Return the stack of a scenario's system.

    Raises:
        MissingDependency: If there is no Compose file for it, or Compose cannot read it.
    """
    path = scenario.system.path
    file = find_file(path)
    if file is None:
        raise MissingDependency(f"no docker-compose.yml beside {path} or in a folder above it")
    return machine.stack_of(file, found)


def _disks(scenario: Scenario, stack: Stack) -> Iterator[str]:
    for entry in scenario.timeline:
        fault, target = entry.fault, str(entry.fault.target)
        if Capability.DISK in fault.needs and stack.disk_of(target) is None:
            yield (
                f"fault {fault.name!r} of {target!r}: its data is on the disk of this host, which "
                f"is never filled; give it in {stack.file.name} a volume of type tmpfs with a size "
                "and, by depends_on, a container that keeps it"
            )


def _faults(scenario: Scenario, proxy: ProxyKind) -> Iterator[str]:
    for entry in scenario.timeline:
        fault = entry.fault
        for lacking in sorted(fault.needs - offered(proxy)):
            yield f"fault {fault.name!r} needs {lacking} control: {_WHY_NOT[lacking]}"
        if fault.name == "restart" and scenario.system.service(str(fault.target)).listener:
            yield (
                f"fault 'restart' of {fault.target!r}: its listening socket outlives a restart "
                "among processes, and a container's ends with it, so clients would be refused"
            )


def _checks(scenario: Scenario, proxy: ProxyKind) -> Iterator[str]:
    """Yield which breakers could keep nothing back without anybody noticing."""
    if proxy is ProxyKind.EMBEDDED:
        return  # it records what crosses each link
    silent = {one.name for one in scenario.system.services if one.events is EventSource.NONE}
    breakers = {one.name: one for one in scenario.system.breakers}
    for check in scenario.checks:
        if check.name != "breaker_transitions" or getattr(check, "never", False):
            continue
        for link in breakers[getattr(check, "breaker", "")].links:
            if link.server in silent:
                yield (
                    f"check 'breaker_transitions' wants to know what crosses '{link}' while the "
                    f"breaker is open: {link.server!r} writes no events, and the vendor's "
                    "Toxiproxy keeps no record; the embedded proxy does"
                )


def _services(scenario: Scenario) -> Iterator[str]:
    for name in scenario.services():
        service = scenario.system.service(name)
        if service.kind is ServiceKind.COMMAND and service.ready_path is None:
            yield (
                f"service {name!r} has no 'ready': the port of a container accepts connections "
                "whether anybody listens or not; give it a path that answers 200"
            )
