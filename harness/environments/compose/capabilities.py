"""What faults may use on containers."""

from dataclasses import dataclass

from harness.clock import Clock
from harness.environments.compose.assembly import Assembly
from harness.environments.compose.attachments import ContainerAttachments
from harness.environments.compose.clocks import ContainerClocks
from harness.environments.compose.disks import ContainerDisks
from harness.environments.compose.endpoints import ContainedEndpoints
from harness.environments.compose.limits import ContainerLimits
from harness.environments.compose.names import ContainerNames
from harness.environments.compose.network import ContainedNetwork
from harness.environments.compose.packets import Packets
from harness.environments.compose.process_faults import ContainerFaults
from harness.environments.compose.sidecars import Sidecars
from harness.environments.journal import Journal
from harness.environments.network import ProxiedNetwork
from harness.environments.resource_faults import ResourceFaults


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCapabilities:
    """What faults may use on containers.

    The faults of resources are those of processes: the services run as our user on our kernel, so
    limits and processors can be taken from them as from any process.
    """

    network: ContainedNetwork
    processes: ContainerFaults
    resources: ResourceFaults
    in_process: ContainedEndpoints
    upstreams: ContainedEndpoints
    attachments: ContainerAttachments
    names: ContainerNames
    limits: ContainerLimits
    disks: ContainerDisks
    clocks: ContainerClocks


def capabilities_of(
    assembly: Assembly,
    network: ProxiedNetwork,
    sidecars: Sidecars,
    *,
    journal: Journal,
    clock: Clock,
) -> ContainerCapabilities:
    """Return control over the containers of one run.

    Args:
        assembly: The containers.
        network: Their links, through the fault proxy.
        sidecars: Runs tools beside them.
        journal: Takes the undo before each act.
        clock: Clock of the run.
    """
    services, engine = assembly.services, assembly.engine
    run_id = assembly.start.settings.run_id
    packets = Packets(sidecars, journal=journal)
    endpoints = ContainedEndpoints(
        services, engine=engine, clock=clock, token=assembly.start.token, journal=journal
    )
    names = ContainerNames(
        services, packets=packets, sidecars=sidecars, run_id=run_id, journal=journal, clock=clock
    )
    proxy = assembly.proxy_container
    logs = assembly.start.logs
    return ContainerCapabilities(
        network=ContainedNetwork(network, packets, services=services, proxy=proxy, engine=engine),
        processes=ContainerFaults(services, journal=journal),
        resources=ResourceFaults(services, journal=journal, clock=clock, run_id=run_id, logs=logs),
        in_process=endpoints,
        upstreams=endpoints,
        attachments=ContainerAttachments(services, engine=engine, journal=journal),
        names=names,
        limits=ContainerLimits(services, engine=engine, journal=journal),
        disks=assembly.disks(journal),
        clocks=ContainerClocks(services, engine=engine, clock=clock, journal=journal),
    )
