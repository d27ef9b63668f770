"""Checks that only hold fields: what a file may say, without judging anything."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.scenario import Scenario
from harness.model.system import Link
from harness.model.verdict import Verdict


def _undecided(name: str) -> Finding:
    return Finding(check=name, verdict=Verdict.INCONCLUSIVE, expected="", got="")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnoughSuccess:
    """Hold one field of most kinds."""

    name: ClassVar[str] = "enough_success"
    summary: ClassVar[str] = "enough operations are OK"

    load: str = field(metadata=meta(Kind.LOAD, "the operations"))
    during: str = field(metadata=meta(Kind.CHOICE, "the phase", choices=("baseline", "fault")))
    at_least_ratio: float = field(metadata=meta(Kind.RATIO, "least share"))
    sources: tuple[str, ...] = field(
        default=(), metadata=meta(Kind.CHOICES, "sources", choices=("primary", "static"))
    )
    within_s: float | None = field(default=None, metadata=meta(Kind.DURATION, "a bound"))

    def __post_init__(self) -> None:
        if self.within_s is not None and self.during == "baseline":
            raise ValueError("within: the baseline has no bound")

    def judge(self, history: History, scenario: Scenario) -> Finding:
        del history, scenario
        return _undecided(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerMoves:
    """Hold references."""

    name: ClassVar[str] = "breaker_moves"
    summary: ClassVar[str] = "a breaker moves"

    breaker: str = field(metadata=meta(Kind.TEXT, "the breaker"))
    link: Link | None = field(default=None, metadata=meta(Kind.LINK, "the link"))
    probe: str | None = field(default=None, metadata=meta(Kind.PROBE, "a probe"))
    service: str | None = field(default=None, metadata=meta(Kind.SERVICE, "a service"))
    factor: float = field(default=1.0, metadata=meta(Kind.NUMBER, "a factor", minimum=0.5))

    def judge(self, history: History, scenario: Scenario) -> Finding:
        del history, scenario
        return _undecided(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingLost:
    """Need no field."""

    name: ClassVar[str] = "nothing_lost"
    summary: ClassVar[str] = "nothing is lost"

    strict: bool = field(default=True, metadata=meta(Kind.FLAG, "whether it is strict"))

    def judge(self, history: History, scenario: Scenario) -> Finding:
        del history, scenario
        return _undecided(self.name)


CHECKS = (EnoughSuccess, BreakerMoves, NothingLost)
