"""Run programs beside a service: in the network of its container, from an image of our own."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from harness.environments.compose.engine import Engine, EngineRefused


class Sidecars:
    """Containers that see the network of another one and may change it, and nothing else.

    They carry the labels of the run, so whoever removes its containers removes them too.

    Args:
        engine: The Docker engine.
        image: An image with the programs; it is not pulled.
        labels: Labels of all that the run makes.
    """

    def __init__(self, engine: Engine, *, image: str, labels: Mapping[str, str]) -> None:
        self._engine = engine
        self._image = image
        self._labels = dict(labels)

    async def run(self, container: str, argv: Sequence[str]) -> str:
        """Run a program to its end, and return what it said.

        Raises:
            EngineRefused: If it cannot be run or fails, with its words.
        """

        def work(client: Any) -> tuple[int, bytes]:
            made = self._make(client, container, argv)
            try:
                client.start(made)
                code = client.wait(made)["StatusCode"]
                return code, client.logs(made)
            finally:
                client.remove_container(made, force=True)

        code, said = await self._engine.ask("run a program beside", work)
        text = said.decode(errors="replace").strip()
        if code != 0:
            raise EngineRefused(f"{argv[0]} beside a container ended with code {code}: {text}")
        return text

    async def start(self, container: str, argv: Sequence[str], *, name: str) -> None:
        """Start a program that goes on, in a container called `name`.

        Raises:
            EngineRefused: If it cannot be started.
        """

        def work(client: Any) -> None:
            client.start(self._make(client, container, argv, name=name))

        await self._engine.ask("start a program beside", work)

    async def said(self, name: str) -> str:
        """Return what a program that goes on has said so far.

        Raises:
            EngineRefused: If it has ended, with its words.
        """

        def work(client: Any) -> tuple[bool, bytes]:
            return client.inspect_container(name)["State"]["Running"], client.logs(name)

        is_running, said = await self._engine.ask("listen to a program beside", work)
        text = said.decode(errors="replace").strip()
        if not is_running:
            raise EngineRefused(f"the program {name!r} beside a container has ended: {text}")
        return text

    async def remove(self, name: str) -> None:
        """End a program that goes on, if it is there."""
        missing: Any = import_module("docker").errors.NotFound  # slow, so not for everybody

        def work(client: Any) -> None:
            with suppress(missing):
                client.remove_container(name, force=True)

        await self._engine.ask("remove a program beside", work)

    def _make(
        self, client: Any, container: str, argv: Sequence[str], *, name: str | None = None
    ) -> str:
        host = client.create_host_config(
            network_mode=f"container:{container}",
            cap_drop=["ALL"],
            cap_add=["NET_ADMIN"],
            security_opt=["no-new-privileges:true"],
            read_only=True,
            init=True,  # or a program would not end when it is told to
        )
        made = client.create_container(
            self._image,
            list(argv),
            name=name,
            user="0:0",
            entrypoint=[],
            labels=self._labels,
            host_config=host,
        )
        return str(made["Id"])
