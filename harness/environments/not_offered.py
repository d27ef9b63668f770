"""What stands where an environment offers a capability not at all."""

from collections.abc import Callable
from typing import Any

from harness.model.errors import FaultNotApplied


class NotOffered:
    """Refuse every act of a capability.

    A plan refuses such a fault before anything starts; this is for those who go past it.

    Args:
        name: The capability, for people.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, act: str) -> Callable[..., Any]:
        """Return an act that raises.

        Raises:
            FaultNotApplied: When the act is called.
        """

        def refuse(*_: object, **__: object) -> None:
            raise FaultNotApplied(f"this environment has no control over {self._name}: no {act!r}")

        return refuse


ATTACHMENTS = NotOffered("the networks of services")
NAMES = NotOffered("the resolution of names")
LIMITS = NotOffered("what is granted to services")
DISKS = NotOffered("file systems")
CLOCKS = NotOffered("wall clocks")
