"""Choose free ports that neither another run nor an outgoing connection can take meanwhile.

Ports come from below the kernel's range for outgoing connections, and each one is claimed until
the run is over by a name in Linux's abstract socket namespace, which vanishes when we die.
"""

import socket
import sys
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from harness.model.errors import HarnessError

_LOWEST = 10240  # leaves the well-known ports of databases and web servers alone
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FALLBACK_HIGHEST = 32767  # Linux's default range for outgoing connections starts above
_TRIES = 500


def is_free(port: int) -> bool:
    """Say whether nobody listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ports:
    """Hand out ports for one run; leaving the context gives them back."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._claims: dict[int, socket.socket] = {}

    def take(self) -> int:
        """Return a port that is free and stays ours.

        Raises:
            HarnessError: If none is found in 500 tries.
        """
        for _ in range(_TRIES):
            port = self._rng.randint(_LOWEST, _highest())
            claim = _claim(port)
            if claim is None:
                continue
            if is_free(port):
                self._claims[port] = claim
                return port
            claim.close()
        raise HarnessError(f"no free port between {_LOWEST} and {_highest()} in {_TRIES} tries")

    def still_taken(self) -> list[int]:
        """Return those of our ports that somebody still listens on."""
        return [port for port in self._claims if not is_free(port)]

    def __enter__(self) -> Self:
        """Return the ports."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give all ports back."""
        for claim in self._claims.values():
            claim.close()
        self._claims.clear()


def _highest() -> int:
    try:
        return int(_RANGE_FILE.read_text().split()[0]) - 1
    except (OSError, ValueError, IndexError):
        return _FALLBACK_HIGHEST


def _claim(port: int) -> socket.socket | None:
    """Return what keeps other runs from choosing `port`; None if one of them has it."""
    claim = socket.socket(socket.AF_UNIX)
    if sys.platform != "linux":
        return claim  # no such namespace: `is_free` alone has to do
    try:
        claim.bind(f"\0atlas-chaos-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim
