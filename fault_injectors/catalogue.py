"""All faults, in the order in which the reference lists them."""

from fault_injectors.bandwidth import Bandwidth
from fault_injectors.clock_skew import ClockSkew
from fault_injectors.connections_exhausted import ConnectionsExhausted
from fault_injectors.cpu_pressure import CpuPressure
from fault_injectors.cpu_quota import CpuQuota
from fault_injectors.disconnect import Disconnect
from fault_injectors.disk_full import DiskFull
from fault_injectors.dns_delay import DnsDelay
from fault_injectors.dns_failure import DnsFailure
from fault_injectors.down import Down
from fault_injectors.fds_exhausted import FdsExhausted
from fault_injectors.in_process import InProcess
from fault_injectors.kill import Kill
from fault_injectors.latency import Latency
from fault_injectors.limit_data import LimitData
from fault_injectors.memory_pressure import MemoryPressure
from fault_injectors.oom_kill import OomKill
from fault_injectors.partition import Partition
from fault_injectors.pause import Pause
from fault_injectors.reset_peer import ResetPeer
from fault_injectors.restart import Restart
from fault_injectors.slicer import Slicer
from fault_injectors.slow_close import SlowClose
from fault_injectors.stop import Stop
from fault_injectors.timeout import Timeout
from fault_injectors.upstream_response import UpstreamResponse
from harness.model.fault import Fault

FAULTS: tuple[type[Fault], ...] = (
    Latency,
    Bandwidth,
    Timeout,
    ResetPeer,
    SlowClose,
    Slicer,
    LimitData,
    Down,
    Partition,
    Disconnect,
    DnsFailure,
    DnsDelay,
    Kill,
    Stop,
    Pause,
    Restart,
    CpuPressure,
    MemoryPressure,
    FdsExhausted,
    ConnectionsExhausted,
    CpuQuota,
    OomKill,
    DiskFull,
    ClockSkew,
    InProcess,
    UpstreamResponse,
)
"""The types that a scenario may name in `fault:`."""
