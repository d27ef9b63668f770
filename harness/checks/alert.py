"""The check `alert`: an alert fires while a fault lasts and ends after it, or stays silent."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import ClassVar

from harness.checks.phases import DURING, window_of
from harness.checks.question import Question, seconds
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, AlertReading
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict

LOOKS_MIN = 3  # one look can be a moment; they are as slow as the scrapes, so not many more


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the alerts saw of the alert in question."""

    t_ns: int
    is_firing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Demand that an alert fires in time and ends in time, or without a time that it never fires.

    Looks that got no answer are no evidence. What lies between two looks is not known, so a bound
    that falls there is not decided.

    Raises:
        ValueError: If a label has no value, or `resolves_within` or `during` mean nothing here.
    """

    name: ClassVar[str] = "alert"
    summary: ClassVar[str] = "an alert fires in time and ends in time, or stays silent"

    alert: str = field(metadata=meta(Kind.TEXT, "the alert"))
    labels: tuple[str, ...] = field(
        default=(),
        metadata=meta(Kind.CHOICES, "labels that it must carry, e.g. name=api-server"),
    )
    fires_within_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION, "from the first fault to the alert; without it, it must never fire"
        ),
    )
    resolves_within_s: float | None = field(
        default=None, metadata=meta(Kind.DURATION, "from the last heal to its end")
    )
    during: str = field(
        default="run",
        metadata=meta(Kind.CHOICE, "where it must not fire, if it must not", choices=DURING),
    )
    samples: int = field(
        default=LOOKS_MIN,
        metadata=meta(Kind.COUNT, "with fewer looks nothing is proved", minimum=1),
    )

    def __post_init__(self) -> None:
        for label in self.labels:
            if not all(label.partition("=")[::2]):
                raise ValueError(f"labels: expected labels such as name=api-server, got {label!r}")
        if self.fires_within_s is None and self.resolves_within_s is not None:
            raise ValueError("resolves_within: means nothing without 'fires_within'")
        if self.fires_within_s is not None and self.during != "run":
            raise ValueError("during: means nothing with 'fires_within', which counts from a fault")

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether the alert did what it has to do."""
        looks = self._looks(history)
        if self.fires_within_s is None:
            return self._silent(history, looks)
        if len(looks) < self.samples:
            return self._too_few(self._question(self.fires_within_s), looks)
        finding = self._fired(history, looks, self.fires_within_s)
        if finding.verdict is not Verdict.PASSED or self.resolves_within_s is None:
            return finding
        return self._resolved(history, looks, self.resolves_within_s, finding)

    def _looks(self, history: History) -> list[Look]:
        """Return the looks that say whether the alert fires with the labels, in order."""
        run = history.run_window()
        known = [
            one
            for one in history.of(AlertReading, lambda one: one.alert == self.alert)
            if one.state is not None and (run is None or one.t_ns < run.end_ns)
        ]  # afterwards services are stopped, and their alerts vanish with them
        return [
            Look(t_ns=t_ns, is_firing=any(self._fires(one) for one in together))
            for t_ns, together in groupby(known, key=lambda one: one.t_ns)
        ]

    def _fires(self, reading: AlertReading) -> bool:
        wanted = dict(label.split("=", 1) for label in self.labels)
        return reading.state == "firing" and all(
            reading.labels.get(name) == value for name, value in wanted.items()
        )

    def _question(self, limit_s: float | None) -> Question:
        name = ", ".join([self.alert, *self.labels])
        expected = f"never fires in the {self.during}"
        if self.fires_within_s is not None:
            expected = f"fires at most {self.fires_within_s:g} s after the first fault"
        if self.resolves_within_s is not None:
            expected += f", ends at most {self.resolves_within_s:g} s after the last heal"
        return Question(
            check=f"{self.name}({name})",
            expected=expected,
            needed=self.samples,
            limit=limit_s,
            unit="s" if limit_s is not None else "",
        )

    def _too_few(self, question: Question, looks: Sequence[Look]) -> Finding:
        return question.undecided(
            f"{len(looks)} looks say whether it fires, it needs {self.samples}", samples=len(looks)
        )

    def _silent(self, history: History, looks: Sequence[Look]) -> Finding:
        question = self._question(None)
        window = window_of(history, self.during)
        if window is None:
            return question.undecided(f"the run has no phase {self.during}")
        inside = [look for look in looks if look.t_ns in window]
        firing = [look for look in inside if look.is_firing]
        if firing:
            got = f"fires in {len(firing)} of {len(inside)} looks"
            return question.failed(
                got, samples=len(inside), witnesses=_lines(firing), at_ns=firing[0].t_ns
            )
        if len(inside) < self.samples:
            return self._too_few(question, inside)
        return question.passed(f"silent in all {len(inside)} looks", samples=len(inside))

    def _fired(self, history: History, looks: Sequence[Look], within_s: float) -> Finding:
        question = self._question(within_s)
        start_ns = min((one.start_ns for one in history.fault_windows().values()), default=None)
        if start_ns is None:
            return question.undecided("no fault was applied, so there is nothing to tell")
        before = [look for look in looks if look.t_ns < start_ns]
        early = [look for look in before if look.is_firing]
        if early:
            return question.failed(
                f"fires at {seconds(early[0].t_ns):.3f} s, before the first fault",
                samples=len(looks),
                witnesses=_lines(early),
                at_ns=early[0].t_ns,
            )
        if not before:
            return question.undecided("nobody looked before the fault", samples=len(looks))
        after = looks[len(before) :]
        first = next((look for look in after if look.is_firing), None)
        return _timed(
            question,
            Event(verb="fired", base="first fault", base_ns=start_ns, look=first),
            contrary=[one for one in after if first is None or one.t_ns < first.t_ns],
            samples=len(looks),
        )

    def _resolved(
        self, history: History, looks: Sequence[Look], within_s: float, fired: Finding
    ) -> Finding:
        question = self._question(within_s)
        heal_ns = history.last_heal_ns()
        if heal_ns is None:
            return question.undecided("no fault was healed, so nothing has to end")
        last = max(index for index, look in enumerate(looks) if look.is_firing)
        finding = _timed(
            question,
            Event(
                verb="ended",
                base="last heal",
                base_ns=heal_ns,
                look=looks[last + 1] if last + 1 < len(looks) else None,
            ),
            contrary=[look for look in looks[: last + 1] if look.is_firing],
            samples=len(looks),
        )
        return replace(finding, got=f"{fired.got}; {finding.got}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What had to happen in time, and the first look that shows it.

    Args:
        verb: What it is.
        base: What its time counts from.
        base_ns: When that was.
        look: The look; None if none shows it.
    """

    verb: str
    base: str
    base_ns: int
    look: Look | None


def _timed(question: Question, event: Event, *, contrary: Sequence[Look], samples: int) -> Finding:
    """Compare the time of an event with the question's limit.

    Args:
        question: Its limit counts from the event's base.
        event: What had to happen.
        contrary: The looks that show that it had not happened yet.
        samples: All looks.
    """
    bound_ns = event.base_ns + round((question.limit or 0.0) * NS_PER_S)
    late = [look for look in contrary if look.t_ns >= bound_ns]
    if event.look is not None and event.look.t_ns <= bound_ns:
        value_s = (event.look.t_ns - event.base_ns) / NS_PER_S
        told = f"{event.verb} {abs(value_s):.3f} s {'after' if value_s >= 0 else 'before'} the"
        return question.passed(f"{told} {event.base}", samples=samples, value=max(0.0, value_s))
    if late:
        when = "never" if event.look is None else f"at {seconds(event.look.t_ns):.3f} s"
        return question.failed(
            f"{event.verb} {when}, not by {seconds(bound_ns):.3f} s",
            samples=samples,
            witnesses=_lines(late),
            at_ns=late[0].t_ns,
        )
    return question.undecided(
        f"nobody looked when the bound was reached at {seconds(bound_ns):.3f} s; let the phase "
        "last longer, or look more often",
        samples=samples,
    )


def _lines(looks: Sequence[Look]) -> list[str]:
    return [
        f"{'firing' if look.is_firing else 'silent'} at {seconds(look.t_ns):.3f} s"
        for look in looks
    ]
