"""What the engine was asked for is done or refused before anybody undoes it."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from harness.environments.compose.engine import Engine, EngineRefused


class DockerException(Exception):
    """What the library raises."""


class APIError(DockerException):
    """What it raises when the engine refuses."""

    explanation = "no such network"


LIBRARY = SimpleNamespace(
    errors=SimpleNamespace(APIError=APIError, DockerException=DockerException)
)


def test_a_cancellation_waits_for_what_was_asked():
    may_end, done = threading.Event(), []

    def work(_client) -> None:
        may_end.wait(5)
        done.append("carried out")

    async def cancel_amid() -> list[str]:
        asking = asyncio.create_task(Engine(LIBRARY, None).ask("connect", work))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the thread has its work
        asking.cancel()
        await asyncio.sleep(0)
        assert not asking.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return list(done)

    assert asyncio.run(cancel_amid()) == ["carried out"]


def test_a_refusal_is_told_with_the_act_and_the_engines_words():
    def work(_client) -> None:
        raise APIError

    with pytest.raises(EngineRefused, match="docker refused to connect a container: no such netw"):
        asyncio.run(Engine(LIBRARY, None).ask("connect", work))
