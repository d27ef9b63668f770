"""Distribute scenarios with pytest-xdist so that a crashed worker is told once and for all.

With `--dist loadscope`, `loadfile` and `loadgroup`, a crashed worker's whole unit goes back into
the queue, crashed test included: the next worker crashes on it too, until the restarts are spent or
the session hangs (pytest-xdist#1323, #1327, #1371). pytest-xdist is pinned below 3.9, because this
uses its internals; a contract test watches them.
"""

from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling, LoadScopeScheduling

from harness.pytest_support.choices import is_ours


class _CrashOnce:
    """Replace the removal of a dead node in a scheduler of work units."""

    config: pytest.Config
    collection: list[str] | None
    assigned_work: dict[Any, dict[str, dict[str, bool]]]
    workqueue: dict[str, dict[str, bool]]

    def remove_node(self, node: Any) -> str | None:
        """Take a node out; return the test that it crashed on, which is then done.

        Restarts end with it: with restarts, a session of one worker was seen to hang. A session
        without scenarios is left to pytest-xdist.
        """
        if not any(is_ours(self.config, nodeid) for nodeid in self.collection or ()):
            found: str | None = super().remove_node(node)  # type: ignore[misc]
            return found
        units = self.assigned_work.pop(node)
        crashed = next((t for unit in units.values() for t, done in unit.items() if not done), None)
        if crashed is None:
            return None
        for unit in units.values():
            if crashed in unit:
                unit[crashed] = True
        left = {scope: unit for scope, unit in units.items() if not all(unit.values())}
        self.workqueue.update(left)
        _forbid_restarts(self.config)
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: Any) -> None:
        """Offer work to a node; pytest-xdist's own."""
        super()._reschedule(node)  # type: ignore[misc]


def _forbid_restarts(config: pytest.Config) -> None:
    session = config.pluginmanager.get_plugin("dsession")
    if session is not None:
        session._max_worker_restart = 0  # noqa: SLF001 -- it reads the option only once


class _ScopeScheduling(_CrashOnce, LoadScopeScheduling):  # type: ignore[misc]
    """`--dist loadscope`."""


class _FileScheduling(_CrashOnce, LoadFileScheduling):  # type: ignore[misc]
    """`--dist loadfile`."""


class _GroupScheduling(_CrashOnce, LoadGroupScheduling):  # type: ignore[misc]
    """`--dist loadgroup`."""


_SCHEDULERS: dict[str, Any] = {
    "loadscope": _ScopeScheduling,
    "loadfile": _FileScheduling,
    "loadgroup": _GroupScheduling,
}


def scheduler(config: pytest.Config, log: Producer) -> Any:
    """Return a scheduler for the chosen distribution; None if pytest-xdist's own is sound.

    Every scenario starts a system of its own, so no two of them need the same worker: in
    `loadgroup` each is a unit by itself, whatever its name says after an `@`.
    """
    kind = _SCHEDULERS.get(config.getoption("dist"))
    return None if kind is None else kind(config, log)
