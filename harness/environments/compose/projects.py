"""Lend projects to the runs of one process: one run at a time each, a clean one or none."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.clock import Clock
from harness.environments.compose.project import Project, standing
from harness.environments.compose.stack import Stack
from harness.model.records import ProcessRecord
from harness.model.run import Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a run needs of a project.

    Args:
        run_id: Its name.
        stack: The Compose file.
        preparation: As `reuse.preparation_of` tells.
        host: The Docker engine, as `DOCKER_HOST` says it.
        log: Where the watchdog of a project that has to be made writes.
        record: Is told of a project that had to be thrown away.
    """

    run_id: str
    stack: Stack
    preparation: str | None
    host: str
    log: Path
    record: Recorder


class Projects:
    """The projects that the runs of one event loop share; leaving the context removes them.

    What a run gives back serves the next one; there are never more than run at the same time.

    Args:
        clock: Clock of the runs.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._idle: list[tuple[Project, AsyncExitStack]] = []
        self._made: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        """Return them: none yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove them.

        Raises:
            WorldNotClean: If something of one is still there.
        """
        async with AsyncExitStack() as all_of_them:
            for _, ending in self._idle:
                all_of_them.push_async_exit(ending)
            self._idle.clear()

    @asynccontextmanager
    async def lent(self, wish: Wish) -> AsyncIterator[Project]:
        """Lend a project for a run; after an error in it, it is removed and never lent again.

        Raises:
            EngineRefused: If the engine does not answer.
            WorldNotClean: If something is left of one that had to be removed.
        """
        project, ending = await self._clean(wish) or (None, AsyncExitStack())
        async with ending:
            if project is None:
                name = self._new_name(wish.run_id)
                project = await ending.enter_async_context(
                    standing(name, wish.stack, host=wish.host, log=wish.log)
                )
            yield project
            if wish.preparation in {"", project.prepared}:
                self._idle.append((project, ending.pop_all()))

    async def _clean(self, wish: Wish) -> tuple[Project, AsyncExitStack] | None:
        """Return a project that serves and is as a run should find it; throw away what is not."""
        while fitting := [one for one in self._idle if _serves(one[0], wish)]:
            self._idle.remove(fitting[0])  # before anything is awaited: others look here too
            project, ending = fitting[0]
            async with ending:
                surprises = await project.surprises()
                if not surprises:
                    return project, ending.pop_all()
            wish.record(
                ProcessRecord(
                    t_ns=self._clock.now_ns(),
                    service="docker compose",
                    incarnation=project.id,
                    what="thrown away",
                    detail=f"not as the run before left it: {', '.join(surprises)}",
                )
            )
        return None

    def _new_name(self, run_id: str) -> str:
        """Return the run's own name, with a number if a project had it: tries share their name."""
        self._made[run_id] += 1
        number = self._made[run_id]
        return run_id if number == 1 else f"{run_id}-{number}"


def _serves(project: Project, wish: Wish) -> bool:
    if wish.preparation is None or project.stack != wish.stack:
        return False
    return not wish.preparation or project.prepared in {"", wish.preparation}
