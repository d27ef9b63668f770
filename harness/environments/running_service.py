"""What the faults of resources need to know of a service, be it a process or a container."""

from typing import Protocol

from harness.model.system import Service


class RunningService(Protocol):
    """One service of a run, whose processes this host's kernel shows under these ids."""

    @property
    def service(self) -> Service:
        """Return what the system file says of it."""
        ...

    @property
    def name(self) -> str:
        """Return the service's name."""
        ...

    @property
    def port(self) -> int:
        """Return its port on loopback."""
        ...

    @property
    def pid(self) -> int:
        """Return the process id of the present incarnation.

        Raises:
            HarnessError: If there is none.
        """
        ...

    @property
    def is_running(self) -> bool:
        """Say whether the present incarnation lives, frozen or not."""
        ...

    def pids(self) -> list[int]:
        """Return all processes of the service."""
        ...

    async def start(self) -> None:
        """Start the next incarnation and wait until it is ready."""
        ...
