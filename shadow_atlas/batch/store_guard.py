"""Protect the transactions of the job store with a stack of its own."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from resilience import Attempt
from shadow_atlas.protection import Stack

Result = TypeVar("Result")


class StackGuard:
    """Run each transaction through a stack.

    Args:
        stack: Its protection.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    async def call(self, operation: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run `work`, or refuse to while the circuit to the database is open.

        Raises:
            CircuitOpen: If the database has failed too often just now.
            Exception: What the work raised.
        """

        async def attempt(_attempt: Attempt) -> Result:
            return await work()

        return (await self.stack.call_detailed(attempt, operation=operation)).value
