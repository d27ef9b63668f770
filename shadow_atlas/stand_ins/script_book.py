"""Hold the scripts of one stand-in, decide which of them act on a request, and count."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from shadow_atlas.stand_ins.scripts import Match, Script, What

SCRIPTS_MAX = 100  # a run has a handful; more is a client that never lifts what it sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asked for, as far as scripts look at it.

    Args:
        path: Path of the request.
        state: Postal code of the state asked for, None if the path names none.
        layer: Layer asked for, None likewise.
        call_id: The caller's identifier of the call, None if it gave none.
        attempt: The caller's number of the attempt, from 1.
        block: Number of the block asked for, None if the path names none.
    """

    path: str
    state: str | None
    layer: str | None
    call_id: str | None
    attempt: int
    block: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the scripts that act on one request do to it, taken together.

    Args:
        scripts: Their names, in the order in which they were set.
        latency_s: Sum of their delays, seconds.
        what: The first of them that changes the answer; None if none does.
    """

    scripts: tuple[str, ...] = ()
    latency_s: float = 0.0
    what: What | None = None

    @property
    def label(self) -> str | None:
        """Return the names for a record, None if no script acted."""
        return ",".join(self.scripts) or None


class ScriptBook:
    """Keep scripts in the order in which they were set; a name replaces its predecessor.

    Args:
        seed: Salt of every seeded draw, so that stand-ins with the same scripts differ.
    """

    def __init__(self, *, seed: str) -> None:
        self._seed = seed
        self._scripts: dict[str, Script] = {}
        self._matched: dict[str, int] = {}
        self._acted: dict[str, int] = {}
        self._lifted: dict[str, asyncio.Event] = {}

    def add(self, script: Script) -> None:
        """Set a script; its counters start at 0, and one of the same name is lifted.

        Raises:
            ValueError: If the book is full.
        """
        if len(self._scripts) >= SCRIPTS_MAX and script.name not in self._scripts:
            raise ValueError(f"{SCRIPTS_MAX} scripts are set already; lift one first")
        self.lift(script.name)
        self._scripts[script.name] = script
        self._lifted[script.name] = asyncio.Event()
        self._matched[script.name] = 0
        self._acted[script.name] = 0

    def lift(self, name: str) -> bool:
        """Remove one script and let go of what it holds; False if there is none of that name."""
        if name not in self._scripts:
            return False
        self._lifted.pop(name).set()
        del self._scripts[name], self._matched[name], self._acted[name]
        return True

    def lift_all(self) -> int:
        """Remove every script and return how many there were."""
        count = len(self._scripts)
        for name in list(self._scripts):
            self.lift(name)
        return count

    async def until_lifted(self, plan: Plan) -> None:
        """Wait until none of the scripts that act on a request is set any more."""
        for lifted in [self._lifted[name] for name in plan.scripts if name in self._lifted]:
            await lifted.wait()

    def scripts(self) -> Sequence[tuple[Script, int, int]]:
        """Return each script with how many requests matched it and on how many it acted."""
        return [(s, self._matched[s.name], self._acted[s.name]) for s in self._scripts.values()]

    def plan(self, asked: Asked) -> Plan:
        """Decide which scripts act on a request, and count them."""
        acting = [script for script in self._scripts.values() if self._acts(script, asked)]
        for script in acting:
            self._acted[script.name] += 1
        changing = [script.what for script in acting if script.what.changes_answer]
        return Plan(
            scripts=tuple(script.name for script in acting),
            latency_s=sum(script.what.latency_s for script in acting),
            what=changing[0] if changing else None,
        )

    def _acts(self, script: Script, asked: Asked) -> bool:
        when = script.when
        if not _matches(script.match, asked):
            return False
        self._matched[script.name] += 1
        if when.attempts is not None:
            return asked.attempt in when.attempts
        if when.first is not None:
            return self._matched[script.name] <= when.first
        return when.probability is None or self._draw(script, asked) < when.probability

    def _draw(self, script: Script, asked: Asked) -> float:
        # A generator of its own for each request: arrival order must not decide who is hit,
        # except among requests that do not say whose they are.
        call = asked.call_id or f"#{self._matched[script.name]}"
        key = (self._seed, script.name, call, str(asked.attempt), asked.path)
        return random.Random("/".join(key)).random()


def _matches(match: Match, asked: Asked) -> bool:
    if match.path is not None and not asked.path.startswith(match.path):
        return False
    wanted = (match.state, asked.state), (match.layer, asked.layer), (match.block, asked.block)
    return all(value in {None, found} for value, found in wanted)
