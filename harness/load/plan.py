"""Say everything that the load process needs to know, as one JSON line."""

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.load.schedule import Arrival, plan_arrivals
from harness.model.scenario import Load, Reuse, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLoad:
    """One load and where it goes.

    Args:
        name: Name of the load.
        host: Numeric IP address of the service; names are resolved before the run.
        port: Its port.
        method: HTTP method.
        path: Path and query with `{name}` for values of a row.
        body: JSON body with `{name}` in its texts; None for no body.
        rows: The dataset; empty without one.
        reuse: Pooled connections or a fresh one for each request.
        timeout_s: The client's patience, real seconds since the dispatch.
        expect_status: Statuses that count as OK; empty: any 2xx.
    """

    name: str
    host: str
    port: int
    method: str
    path: str
    body: Any
    rows: tuple[Mapping[str, str], ...]
    reuse: Reuse
    timeout_s: float
    expect_status: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.method.upper() == "HEAD":
            raise ValueError(f"load {self.name!r}: HEAD cannot be sent, its answers are not framed")
        if not self.timeout_s > 0.0:
            raise ValueError(f"load {self.name!r}: timeout_s={self.timeout_s!r} must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """All loads of a run and every arrival, in order of time."""

    loads: tuple[PlannedLoad, ...]
    arrivals: tuple[Arrival, ...]

    def load(self, name: str) -> PlannedLoad:
        """Return the load called `name`.

        Raises:
            KeyError: If there is none.
        """
        for load in self.loads:
            if load.name == name:
                return load
        raise KeyError(name)

    @property
    def patience_max_s(self) -> float:
        """Return the longest time that an operation can take after its dispatch."""
        return max((load.timeout_s for load in self.loads), default=0.0)

    def to_json(self) -> str:
        """Return the plan as one line, without the newline."""
        arrivals = [(a.at_ns, a.load, a.call_id, a.client, a.row) for a in self.arrivals]
        document = {"loads": [asdict(load) for load in self.loads], "arrivals": arrivals}
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str | bytes) -> "LoadPlan":
        """Return the plan that `to_json` wrote."""
        document = json.loads(line)
        arrivals = tuple(
            Arrival(at_ns=at_ns, load=load, call_id=call_id, client=client, row=row)
            for at_ns, load, call_id, client, row in document["arrivals"]
        )
        return cls(loads=tuple(map(_planned_load, document["loads"])), arrivals=arrivals)


def _planned_load(values: Mapping[str, Any]) -> PlannedLoad:
    exact = {
        "rows": tuple(values["rows"]),
        "reuse": Reuse(values["reuse"]),
        "expect_status": tuple(values["expect_status"]),
    }
    return PlannedLoad(**{**values, **exact})


def plan_load(
    scenario: Scenario,
    *,
    seed: int,
    addresses: Mapping[str, str],
    allows_remote: bool = False,
) -> LoadPlan:
    """Return the plan of a run's load.

    Args:
        scenario: The scenario as it is run, scaled.
        seed: The seed of the run.
        addresses: `host:port` of each service that a load calls.
        allows_remote: Whether services may be on other hosts; what a harness can overload by
            mistake should be its own machine.

    Raises:
        ValueError: If an address is not on this host, or does not resolve.
    """
    loads = tuple(
        _place(load, scenario, addresses[load.service], allows_remote=allows_remote)
        for load in scenario.loads
    )
    return LoadPlan(loads=loads, arrivals=plan_arrivals(scenario, seed))


def _place(load: Load, scenario: Scenario, address: str, *, allows_remote: bool) -> PlannedLoad:
    host, port = _resolve(address)
    if not allows_remote and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(
            f"load {load.name!r}: {address!r} is not on this host; "
            "load goes to loopback addresses unless remote ones are allowed in so many words"
        )
    return PlannedLoad(
        name=load.name,
        host=host,
        port=port,
        method=load.method,
        path=load.path,
        body=load.body,
        rows=scenario.system.datasets[load.dataset] if load.dataset is not None else (),
        reuse=load.reuse,
        timeout_s=load.timeout_s,
        expect_status=load.expect_status,
    )


def _resolve(address: str) -> tuple[str, int]:
    """Return the numeric address: a name server has no place in the path of an operation."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"expected an address such as '127.0.0.1:8080', got {address!r}"
        ) from error
    return str(found[0][4][0]), int(port)
