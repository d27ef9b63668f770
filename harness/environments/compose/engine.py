"""Act on containers through Docker's library; every call in a thread, and bounded in time.

The library is imported when an engine is used: it takes 0.3 s, and other environments do without.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Self, TypeVar

from harness.environments.compose.told import ContainerEvent, ContainerState, Granted, event_from
from harness.model.errors import HarnessError

SERVICE = "com.docker.compose.service"
PROJECT = "com.docker.compose.project"
_WITHIN_S = 30.0  # a kill took 0.3 s and a start 0.5 s; this is for an engine in trouble
_PERIOD_US = 100_000  # the kernel's own
_UNLIMITED = -1  # 0 would be taken for "leave it as it is"
_KILLED = 137  # 128 + SIGKILL
_POOL = 32  # connections to the engine; the library has 10 unless told
_T = TypeVar("_T")


class EngineRefused(HarnessError):
    """The Docker engine did not do what it was asked, or did not answer."""


class ContainerPaused(EngineRefused):
    """The engine refused because the container is paused."""


class Engine:
    """The Docker engine, for the containers of one run.

    Args:
        library: Docker's library.
        client: A client of the library.
    """

    def __init__(self, library: Any, client: Any) -> None:
        self._library = library
        self._client = client

    @classmethod
    async def connect(cls, host: str) -> Self:
        """Return the engine at `host`, as `DOCKER_HOST` says it.

        Raises:
            EngineRefused: If it does not answer.
        """
        library: Any = await asyncio.to_thread(import_module, "docker")
        unconnected = cls(library, None)
        options = {"version": "auto", "timeout": _WITHIN_S, "num_pools": _POOL}
        client = await unconnected._call(
            "connect to", lambda: library.APIClient(base_url=host, **options)
        )
        return cls(library, client)

    def close(self) -> None:
        """Close the connections to the engine."""
        self._client.close()

    async def containers(self, project: str) -> dict[str, str]:
        """Return the ids of a project's containers by service, found by their labels."""
        filters = {"label": f"{PROJECT}={project}"}
        listed = await self._call(
            "list containers", lambda: self._client.containers(all=True, filters=filters)
        )
        return {one["Labels"][SERVICE]: one["Id"] for one in listed}

    async def carrying(self, label: str) -> dict[str, str]:
        """Return the status of all containers that carry a label, `name=value`, by their ids."""
        listed = await self._call(
            "list containers",
            lambda: self._client.containers(all=True, filters={"label": label}),
        )
        return {one["Id"]: one["State"] for one in listed}

    async def state(self, container: str) -> ContainerState:
        """Return what a container is at this moment."""
        told = await self._call("inspect", lambda: self._client.inspect_container(container))
        state = told["State"]
        return ContainerState(
            status=state["Status"],
            pid=state["Pid"],
            exit_code=state["ExitCode"],
            has_init=bool(told["HostConfig"].get("Init")),
            is_oom_killed=state["OOMKilled"],
        )

    async def granted(self, container: str) -> Granted:
        """Return what a container may use."""
        told = await self._call("inspect", lambda: self._client.inspect_container(container))
        host = told["HostConfig"]
        return Granted(
            cpu_period_us=host["CpuPeriod"] or _PERIOD_US,
            cpu_quota_us=max(host["CpuQuota"], 0),
            is_cpus=bool(host["NanoCpus"]),
            memory_bytes=host["MemorySwap"] if host["MemorySwap"] > 0 else None,
        )

    async def grant_cpu(self, container: str, *, period_us: int, quota_us: int) -> None:
        """Let a container use `quota_us` of processor time in each period; 0: without limit."""
        limits = {"cpu_period": period_us, "cpu_quota": quota_us or _UNLIMITED}
        await self._call(
            "change the limits of", lambda: self._client.update_container(container, **limits)
        )

    async def throttled_periods(self, container: str) -> int:
        """Return in how many periods a container's quota was used up since its start."""
        told = await self._call(
            "count for", lambda: self._client.stats(container, stream=False, one_shot=True)
        )
        return int(told["cpu_stats"].get("throttling_data", {}).get("throttled_periods", 0))

    async def start(self, container: str) -> None:
        """Start a container that does not run."""
        await self._call("start", lambda: self._client.start(container))

    async def kill(self, container: str) -> None:
        """Kill all processes of a container with SIGKILL."""
        await self._call("kill", lambda: self._client.kill(container, "SIGKILL"))

    async def stop(self, container: str, *, within_s: int) -> None:
        """Stop a container by its own signal, and by force when its time is over."""
        await self._call(
            "stop",
            lambda: self._client.stop(container, timeout=within_s),
            within_s=_WITHIN_S + within_s,
        )

    async def pause(self, container: str) -> None:
        """Freeze all processes of a container."""
        await self._call("pause", lambda: self._client.pause(container))

    async def unpause(self, container: str) -> None:
        """Let all processes of a container go on."""
        await self._call("unpause", lambda: self._client.unpause(container))

    async def remove(self, container: str) -> None:
        """Remove a container with its anonymous volumes, by force if it runs."""
        await self._call(
            "remove", lambda: self._client.remove_container(container, v=True, force=True)
        )

    async def logs(self, container: str, *, lines: int | None = None) -> bytes:
        """Return what a container said on both of its outputs, or the end of it."""
        tail = "all" if lines is None else lines
        told: bytes = await self._call(
            "read logs of", lambda: self._client.logs(container, tail=tail)
        )
        return told

    async def run(
        self, container: str, argv: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Run a program in a container to its end, and return its exit code and what it said."""

        def work() -> tuple[int, bytes]:
            made = self._client.exec_create(container, list(argv), environment=dict(environment))
            said: bytes = self._client.exec_start(made["Id"])
            code = self._client.exec_inspect(made["Id"])["ExitCode"]
            return _KILLED if code is None else int(code), said  # none: its container ended

        return await self._call("run a program in", work)

    async def listen(
        self, label: str, tell: Callable[[ContainerEvent], None]
    ) -> Callable[[], None]:
        """Tell of every end of a container with a label; return what ends the telling.

        Args:
            label: `name=value`.
            tell: Called on the running loop, in the order of the engine.
        """
        loop = asyncio.get_running_loop()
        filters = {"label": label, "type": "container", "event": ["die", "oom"]}
        stream = await self._call(
            "listen to", lambda: self._client.events(decode=True, filters=filters)
        )

        def read() -> None:
            with suppress(Exception):  # the stream ends by an error of whatever kind: it is closed
                for one in stream:
                    loop.call_soon_threadsafe(tell, event_from(one))

        threading.Thread(target=read, name="docker-events", daemon=True).start()

        def end() -> None:
            with suppress(Exception):  # a stream that broke is closed already
                stream.close()

        return end

    async def ask(self, what: str, work: Callable[[Any], _T]) -> _T:
        """Await what a part of its own does with a client of the library, as one step.

        Args:
            what: The act, for errors: `docker refused to {what} a container`.
            work: Blocking calls, given the client; a cancellation waits for all of them.

        Raises:
            EngineRefused: If the engine refuses or does not answer in time.
        """
        return await self._call(what, lambda: work(self._client))

    async def _call(self, what: str, work: Callable[[], _T], *, within_s: float = _WITHIN_S) -> _T:
        """Await blocking work in a thread; the library's own limit ends the thread.

        A cancellation waits for it, or the engine could still do what its caller has undone.

        Raises:
            EngineRefused: If the engine refuses or does not answer in time.
        """
        docker: Any = self._library
        requests: Any = import_module("requests")
        try:
            return await _unbroken(asyncio.wait_for(asyncio.to_thread(work), within_s))
        except TimeoutError as error:
            raise EngineRefused(f"docker: no answer to {what!r} within {within_s:g} s") from error
        except docker.errors.APIError as error:
            kind = ContainerPaused if "is paused" in str(error.explanation) else EngineRefused
            raise kind(f"docker refused to {what} a container: {error.explanation}") from error
        except (docker.errors.DockerException, requests.RequestException) as error:
            raise EngineRefused(
                f"docker could not {what} a container: {error}; 'docker info' says whether its "
                "engine still runs"
            ) from error


async def _unbroken(work: Coroutine[Any, Any, _T]) -> _T:
    """Await work that has a bound of its own, and pass a cancellation on after it only."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
