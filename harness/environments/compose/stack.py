"""What a Compose file says of a system, as far as the harness needs to know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault_injectors.toxiproxy import ProxyKind
from harness.model.scenario import Scenario

# The services of the Compose file that carry every link, one of them in each run.
PROXIES = {ProxyKind.TOXIPROXY: "toxiproxy", ProxyKind.EMBEDDED: "fault_proxy"}
PROMETHEUS = "prometheus"  # the service that watches a system whose scenario has alerts
PROXY_PORT = 8474  # of Toxiproxy's control API
_DATABASE_PORT = 5432
_PORTS = {**dict.fromkeys(PROXIES.values(), PROXY_PORT), PROMETHEUS: 9090}
_OURS = "x-atlas-chaos"  # what the file says to the harness, and Compose ignores
_NAMES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
_ENDED_WELL = "service_completed_successfully"
_STARTED = "service_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system with a size of its own, which holds the data of a service.

    It is in memory and lasts as long as a container holds it, so one has to that does nothing else.

    Args:
        keeper: The service of the Compose file that holds it.
        path: Where it is mounted there.
    """

    keeper: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One service of the Compose file.

    Args:
        name: Its name, the same as in the system file.
        image: The image that it starts from.
        port: Where it listens inside its container.
        one_shots: Services that have to have ended well before it starts.
        companions: Services that have to have started before it, the proxy aside.
        waits_for: All services that it waits for in whatever way.
        has_events: Whether it writes event files.
        mounts: Where it mounts each named volume; that of event files is the run's folder instead.
    """

    name: str
    image: str
    port: int
    one_shots: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    has_events: bool = False
    mounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A Compose file, with all its variables and references resolved.

    Args:
        file: The file.
        services: By name.
        networks: Networks that Compose makes, which excludes those that are there already.
        volumes: Volumes that Compose makes.
        tools: Image with what is run beside services; empty if the file names none.
        sized: Those of them that are in memory and have a size.
    """

    file: Path
    services: Mapping[str, ContainerSpec]
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    tools: str = ""
    sized: tuple[str, ...] = ()

    @property
    def variables_file(self) -> Path:
        """Return where `scripts/docker_images.sh` notes which images it has."""
        return self.file.parent / ".tools" / "docker.env"

    def one_shots(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the one-shots that the services called `names` wait for, each once."""
        found = (shot for name in names for shot in self.services[name].one_shots)
        return tuple(dict.fromkeys(found))

    def made_for(self, names: Sequence[str], helpers: Sequence[str]) -> tuple[str, ...]:
        """Return what has to be made to start `names`: all that they wait for, and the helpers."""
        beside = (other for name in names for other in self.services[name].companions)
        return tuple(dict.fromkeys([*names, *beside, *self.one_shots(names), *helpers]))

    def disk_of(self, name: str) -> Disk | None:
        """Return the disk of a service's own; None if its data is on that of this host."""
        spec = self.services[name]
        for volume in self.sized:
            for keeper in spec.companions:
                path = self.services[keeper].mounts.get(volume)
                if path is not None and volume in spec.mounts:
                    return Disk(keeper=keeper, path=path)
        return None

    def holders(self, names: Sequence[str]) -> frozenset[str]:
        """Return who else mounts the volumes of the services called `names`."""
        volumes = {volume for name in names for volume in self.services[name].mounts}
        mounting = {one.name for one in self.services.values() if volumes & set(one.mounts)}
        return frozenset(mounting.difference(names))


def helpers_of(scenario: Scenario, proxy: ProxyKind) -> tuple[str, ...]:
    """Return which services of the Compose file serve the harness in a run, not its system."""
    return (PROXIES[proxy], *([] if scenario.alerts is None else [PROMETHEUS]))


def find_file(system: Path) -> Path | None:
    """Return the Compose file beside a system file or in the nearest folder above it."""
    for folder in system.resolve().parents:
        for name in _NAMES:
            if (folder / name).is_file():
                return folder / name
    return None


def read_stack(document: Mapping[str, Any], file: Path) -> Stack:
    """Return the stack that `docker compose config --format json` told of.

    >>> read_stack({"services": {"db": {"image": "postgres"}}}, Path("c.yml")).services["db"].port
    5432
    """
    return Stack(
        file=file,
        services={name: _spec(name, told) for name, told in document["services"].items()},
        networks=_made(document.get("networks")),
        volumes=_made(document.get("volumes")),
        tools=str((document.get(_OURS) or {}).get("tools", "")),
        sized=tuple(name for name, one in _named(document.get("volumes")) if _is_sized(one)),
    )


def _spec(name: str, told: Mapping[str, Any]) -> ContainerSpec:
    environment = told.get("environment") or {}
    events = environment.get("ATLAS_EVENT_DIR")
    waits = told.get("depends_on") or {}
    return ContainerSpec(
        name=name,
        image=str(told.get("image", "")),
        port=int(environment.get("ATLAS_PORT", _PORTS.get(name, _DATABASE_PORT))),
        one_shots=tuple(one for one, how in waits.items() if how["condition"] == _ENDED_WELL),
        companions=tuple(
            one
            for one, how in waits.items()
            if how["condition"] == _STARTED and one not in PROXIES.values()
        ),
        waits_for=tuple(waits),
        has_events=bool(events),
        mounts={
            one["source"]: one["target"]
            for one in told.get("volumes") or ()
            if one["type"] == "volume" and one.get("source") and one["target"] != events
        },
    )


def _made(told: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple(name for name, one in _named(told) if not one.get("external"))


def _named(told: Mapping[str, Any] | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((name, one or {}) for name, one in (told or {}).items())


def _is_sized(volume: Mapping[str, Any]) -> bool:
    options = volume.get("driver_opts") or {}
    return options.get("type") == "tmpfs" and "size=" in options.get("o", "")
