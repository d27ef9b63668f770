"""What is said to and heard from a fault proxy, as values."""

import re
from dataclasses import dataclass
from enum import StrEnum

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\s/]+):[0-9]{1,5}")


class ProxyKind(StrEnum):
    """Which program carries the faults; chosen by a switch, never by what lies on PATH."""

    EMBEDDED = "embedded"
    TOXIPROXY = "toxiproxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """One proxy of a server.

    Args:
        name: Letters, digits, `.`, `_` and `-`, a letter first: the server takes more, and could
            never address or delete it again.
        listen: `host:port`, always with a host; port 0 lets the system choose. An empty text
            would mean all interfaces.
        upstream: `host:port` of the server behind it.
        enabled: Whether it listens.

    Raises:
        ValueError: If a text does not have its form.
    """

    name: str
    listen: str
    upstream: str
    enabled: bool = True

    def __post_init__(self) -> None:
        check_name(self.name)
        for field, text in (("listen", self.listen), ("upstream", self.upstream)):
            if not ADDRESS.fullmatch(text):
                raise ValueError(f"{field}={text!r} must be host:port")

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port that clients connect to."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def check_name(name: str) -> None:
    """Raise if a proxy or toxic of this name could not be addressed everywhere.

    Raises:
        ValueError: If the name has other characters than the API's paths carry safely.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"name={name!r} must be letters, digits, '.', '_' and '-', a letter first")
