"""What a Compose file says of a system, as far as the harness needs to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault_injectors.toxiproxy import ProxyKind

# The services of the Compose file that carry every link, one of them in each run.
PROXIES = {ProxyKind.TOXIPROXY: "toxiproxy", ProxyKind.EMBEDDED: "fault_proxy"}
PROXY_PORT = 8474  # of Toxiproxy's control API
_DATABASE_PORT = 5432
_NAMES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
_ENDED_WELL = "service_completed_successfully"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One service of the Compose file.

    Args:
        name: Its name, the same as in the system file.
        image: The image that it starts from.
        port: Where it listens inside its container.
        one_shots: Services that have to have ended well before it starts.
        waits_for: All services that it waits for in whatever way.
        has_events: Whether it writes event files.
        mounts: Where it mounts each named volume; that of event files is the run's folder instead.
    """

    name: str
    image: str
    port: int
    one_shots: tuple[str, ...] = ()
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
    """

    file: Path
    services: Mapping[str, ContainerSpec]
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    @property
    def variables_file(self) -> Path:
        """Return where `scripts/docker_images.sh` notes which images it has."""
        return self.file.parent / ".tools" / "docker.env"

    def one_shots(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the one-shots that the services called `names` wait for, each once."""
        found = (shot for name in names for shot in self.services[name].one_shots)
        return tuple(dict.fromkeys(found))

    def made_for(self, names: Sequence[str], proxy: ProxyKind) -> tuple[str, ...]:
        """Return all that has to be made to start `names`: these, their one-shots, the proxy."""
        return tuple(dict.fromkeys([*names, *self.one_shots(names), PROXIES[proxy]]))

    def holders(self, names: Sequence[str]) -> frozenset[str]:
        """Return who else mounts the volumes of the services called `names`."""
        volumes = {volume for name in names for volume in self.services[name].mounts}
        mounting = {one.name for one in self.services.values() if volumes & set(one.mounts)}
        return frozenset(mounting.difference(names))


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
    )


def _spec(name: str, told: Mapping[str, Any]) -> ContainerSpec:
    environment = told.get("environment") or {}
    events = environment.get("ATLAS_EVENT_DIR")
    waits = told.get("depends_on") or {}
    default_port = PROXY_PORT if name in PROXIES.values() else _DATABASE_PORT
    return ContainerSpec(
        name=name,
        image=str(told.get("image", "")),
        port=int(environment.get("ATLAS_PORT", default_port)),
        one_shots=tuple(one for one, how in waits.items() if how["condition"] == _ENDED_WELL),
        waits_for=tuple(waits),
        has_events=bool(events),
        mounts={
            one["source"]: one["target"]
            for one in told.get("volumes") or ()
            if one["type"] == "volume" and one.get("source") and one["target"] != events
        },
    )


def _made(told: Mapping[str, Any] | None) -> tuple[str, ...]:
    named = (told or {}).items()
    return tuple(name for name, one in named if not (one or {}).get("external"))
