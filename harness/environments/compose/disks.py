"""Fill the file systems of services that have a size of their own; never that of this host."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import Engine
from harness.environments.compose.stack import Disk
from harness.environments.compose.targets import running
from harness.environments.journal import Journal
from harness.model.errors import FaultNotApplied, FaultNotHealed
from harness.model.fault import Applied, Effect

# The file system is in memory and ends with the containers that have the run's label.
_UNDO = {"kind": "ends_with_process"}
_FILE = ".atlas-fill"

# Run by the container that keeps the disk: it is there when the service has died of a full one.
_LOOK = 'stat -f -c "%T %S %a" "$1"'
# Two blocks more than are free, so that the file's own growth meets the end: one is for its name.
_FILL = f"""\
set -- "$1/{_FILE}" $(stat -f -c "%a %S" "$1") "$2"
if head -c $((($2 + 2) * $3)) /dev/zero >"$1" 2>/dev/null; then
  echo "nothing was refused"; exit 1
fi
size=$(stat -c %s "$1")
[ "$size" -ge "$4" ] || {{ echo "only $size bytes were free"; exit 1; }}
truncate -s $((size - $4)) "$1"
"""
_EMPTY = f'rm -f "$1/{_FILE}" && ! [ -e "$1/{_FILE}" ]'


class ContainerDisks:
    """Act on the file systems of the services of one run.

    Args:
        services: The containers of services.
        disks: The disks that have a size of their own, by service.
        keepers: Ids of the containers that keep disks, by their name in the Compose file.
        engine: The Docker engine.
        journal: Journal of the run.
    """

    def __init__(
        self,
        services: Mapping[str, ServiceContainer],
        *,
        disks: Mapping[str, Disk],
        keepers: Mapping[str, str],
        engine: Engine,
        journal: Journal,
    ) -> None:
        self._services = services
        self._disks = disks
        self._keepers = keepers
        self._engine = engine
        self._journal = journal

    def fill(self, service: str, spare_bytes: int) -> Effect:
        """Fill the file system of a service's data up to `spare_bytes`; healing empties it."""
        target = running(self._services, service)
        if service not in self._disks:
            raise FaultNotApplied(f"the data of {service!r} is on the disk of this host")
        return self._filled(target, self._disks[service], spare_bytes)

    @asynccontextmanager
    async def _filled(
        self, service: ServiceContainer, disk: Disk, spare_bytes: int
    ) -> AsyncIterator[Applied]:
        await self._free_bytes(service, disk)  # refuses what is not in memory
        with self._journal.undoing(f"fill disk of {service.name}", _UNDO):
            try:
                code, said = await self._run(disk, _FILL, str(spare_bytes))
                if code != 0:
                    raise FaultNotApplied(f"disk of {service.name!r}: {said}")
                left = await self._free_bytes(service, disk)
                applied = Applied(
                    read_back=f"{left} bytes are free on the disk of {service.name}",
                    effects=1,
                    effect="a write was refused: no space left on device",
                )
                yield applied
                applied.effect += f"; {await self._free_bytes(service, disk)} bytes free at the end"
            finally:
                await self._empty(service, disk)

    async def _empty(self, service: ServiceContainer, disk: Disk) -> None:
        code, said = await self._run(disk, _EMPTY)
        if code != 0:
            raise FaultNotHealed(f"disk of {service.name!r} is still full: {said}")
        async with service.turn:
            if not service.is_running:
                await service.start()  # it died of the full disk; its supervisor starts it again

    async def _free_bytes(self, service: ServiceContainer, disk: Disk) -> int:
        code, said = await self._run(disk, _LOOK)
        if code != 0:
            raise FaultNotApplied(f"disk of {service.name!r} cannot be looked at: {said}")
        kind, block_bytes, blocks = said.split()
        if kind != "tmpfs":
            raise FaultNotApplied(
                f"the data of {service.name!r} is on {kind}, not on a disk of its own"
            )
        return int(block_bytes) * int(blocks)

    async def _run(self, disk: Disk, script: str, *arguments: str) -> tuple[int, str]:
        argv = ("sh", "-c", script, "sh", disk.path, *arguments)
        code, said = await self._engine.run(self._keepers[disk.keeper], argv, {})
        return code, said.decode(errors="replace").strip()
