"""What may be decorated."""

import inspect
from collections.abc import Callable


def require_coroutine_function(fn: Callable[..., object]) -> None:
    """Refuse what a guard around it could not protect.

    Raises:
        TypeError: If calling `fn` does not make a coroutine. A plain function would be counted as
            a success before it has run, an async generator before its first item.
    """
    call = getattr(type(fn), "__call__", None)  # noqa: B004 - not "can it be called" but how
    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call):
        return
    raise TypeError(f"{fn!r} must be a coroutine function (async def, no yield)")
