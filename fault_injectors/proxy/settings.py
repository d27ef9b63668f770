"""Settings of the proxy process, from flags first and the environment of services second."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

HOST_DEFAULT = "127.0.0.1"  # the control API knows no token
PORT_DEFAULT = 8474  # where every Toxiproxy client looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the proxy process runs.

    Args:
        host: Address of the control API. Any but loopback lets proxies listen beyond it as well.
        port: Control port; 0 lets the system choose.
        seed: Seed of every draw.
        event_dir: Folder of the event file; None keeps no record.
        service: Name of the service in the record.
        incarnation: Incarnation in the record.
        ready_file: Takes the ready line, whole or not at all; None for none.
        config: File of proxies to begin with, as the body of `/populate`; None for none.
    """

    host: str = HOST_DEFAULT
    port: int = PORT_DEFAULT
    seed: int = 0
    event_dir: Path | None = None
    service: str = "proxy"
    incarnation: str = "1"
    ready_file: Path | None = None
    config: Path | None = None

    @property
    def beyond_loopback(self) -> bool:
        """Return whether others than this host may reach the proxy."""
        return not ip_address(self.host).is_loopback

    @property
    def event_path(self) -> Path | None:
        """Return the event file of this process."""
        if self.event_dir is None:
            return None
        return self.event_dir / f"{self.service}.{self.incarnation}.ndjson"


def parse_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings; a wrong argument ends the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m fault_injectors.proxy",
        description="TCP fault proxy with the control API of Toxiproxy 2.12.",
    )
    parser.add_argument("--host", type=_host, default=environ.get("ATLAS_HOST", HOST_DEFAULT))
    parser.add_argument("--port", type=_port, default=environ.get("ATLAS_PORT", str(PORT_DEFAULT)))
    parser.add_argument("--seed", type=int, default=environ.get("ATLAS_SEED", "0"))
    parser.add_argument("--event-dir", type=Path, default=environ.get("ATLAS_EVENT_DIR") or None)
    parser.add_argument("--service", default=environ.get("ATLAS_SERVICE", "proxy"))
    parser.add_argument("--incarnation", default=environ.get("ATLAS_INCARNATION", "1"))
    parser.add_argument("--ready-file", type=Path, default=None)
    parser.add_argument("--config", type=Path, default=None)
    return Settings(**vars(parser.parse_args(arguments)))


def _host(text: str) -> str:
    return str(ip_address(text))  # a name would have to be looked up


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - ports are 16 bits wide
        raise ValueError(text)
    return port
