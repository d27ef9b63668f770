"""The check `work_items`: accepted work is done, once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.probe_value import as_text
from harness.checks.question import Question, listed, seconds
from harness.checks.streams import unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, Probe, Source, WorkItem
from harness.model.scenario import Scenario

ENDS = ("finished", "failed", "skipped")
SAMPLES_MIN = 1  # the rule is exact


@dataclass(frozen=True, slots=True, kw_only=True)
class _Complaint:
    t_ns: int
    what: str
    is_sure: bool  # or it may yet be made good, or the events that would tell are missing


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItems:
    """Follow every accepted key over all incarnations of the service, to exactly one end.

    A key without an end is lost; a second `finished` is work done twice. A `degraded` key was
    answered from elsewhere for the time being: it counts as ended, unless `refreshed` asks for
    a later `finished` from the primary source. The events are the service's own; `probe` names
    a quantity that has to agree with them at the end of the run.

    Raises:
        ValueError: If `ends` is empty.
    """

    name: ClassVar[str] = "work_items"
    is_exact: ClassVar[bool] = True
    summary: ClassVar[str] = "every accepted piece of work ends once, over all restarts"

    service: str = field(metadata=meta(Kind.SERVICE, "the service that does the work"))
    ends: tuple[str, ...] = field(
        default=("finished",),  # a failure has to be meant, so a scenario has to say so
        metadata=meta(Kind.CHOICES, "how work may end", choices=ENDS),
    )
    within_s: float | None = field(
        default=None, metadata=meta(Kind.DURATION, "longest time from accepted to its end")
    )
    refreshed: bool = field(
        default=False,
        metadata=meta(Kind.FLAG, "whether degraded work has to be finished from the primary later"),
    )
    probe: str | None = field(
        default=None, metadata=meta(Kind.PROBE, "a probe whose last answer has to agree")
    )
    value: str = field(
        default="tasks.open",
        metadata=meta(Kind.TEXT, "dotted path of the value in the probe's answer"),
    )
    equals: str = field(default="0", metadata=meta(Kind.TEXT, "what it has to be at the end"))
    samples: int = field(
        default=SAMPLES_MIN, metadata=meta(Kind.COUNT, "accepted keys, at least", minimum=1)
    )

    def __post_init__(self) -> None:
        if not self.ends:
            raise ValueError(f"ends: expected at least one of {listed(ENDS)}")

    def judge(self, history: History, scenario: Scenario) -> Finding:
        """Return whether everything accepted ended once."""
        question = Question(
            check=f"{self.name}({self.service})",
            expected=f"every accepted key ends once, as {listed(self.ends)}",
            needed=self.samples,
        )
        keys = self._keys(history)
        accepted = sum(any(item.what == "accepted" for item in items) for items in keys.values())
        missing = unreadable(history, self.service)
        complaints = [*self._complaints(history, scenario, keys), *self._probed(history)]
        sure = [item for item in complaints if item.is_sure]
        lines = [f"{item.what} (at {seconds(item.t_ns):.3f} s)" for item in sure or complaints]
        got = f"{len(complaints)} complaints about {accepted} accepted keys"
        if sure:
            return question.failed(
                got, samples=accepted, witnesses=lines, value=float(len(sure)), at_ns=sure[0].t_ns
            )
        if missing:
            return question.undecided(missing, got, samples=accepted, witnesses=lines)
        if accepted < self.samples:
            return question.undecided(f"only {accepted} keys were accepted", samples=accepted)
        if complaints:
            reason = "the run ended, or events are missing, before it was clear"
            return question.undecided(reason, got, samples=accepted, witnesses=lines)
        return question.passed(f"all {accepted} keys did", samples=accepted, value=0.0)

    def _keys(self, history: History) -> dict[str, list[WorkItem]]:
        keys: dict[str, list[WorkItem]] = {}
        for item in history.of(WorkItem, lambda item: item.service == self.service):
            keys.setdefault(item.key, []).append(item)
        return keys

    def _complaints(
        self, history: History, scenario: Scenario, keys: dict[str, list[WorkItem]]
    ) -> Iterator[_Complaint]:
        run = history.run_window()
        end_ns = run.end_ns if run else 0
        may_hide = bool(unreadable(history, self.service))
        for items in keys.values():
            yield from self._twice(items)
            yield from self._ended_wrongly(items)
            is_lost = self._is_overdue(items, end_ns, scenario)
            if not self._is_done(items):
                what = "lost" if is_lost else "still open at the end of the run"
                yield _Complaint(
                    t_ns=items[-1].t_ns,
                    what=f"{items[0].key} is {what}, last seen {items[-1].what}",
                    is_sure=is_lost and not may_hide,
                )
            else:
                yield from self._late(items)

    def _twice(self, items: Sequence[WorkItem]) -> Iterator[_Complaint]:
        finished = [item for item in items if item.what == "finished"]
        if len(finished) > 1:
            by = listed(f"incarnation {item.incarnation}" for item in finished)
            what = f"{finished[1].key} was finished {len(finished)} times, by {by}"
            yield _Complaint(t_ns=finished[1].t_ns, what=what, is_sure=True)

    def _ended_wrongly(self, items: Sequence[WorkItem]) -> Iterator[_Complaint]:
        for item in items:
            if item.what in ENDS and item.what not in self.ends:
                what = f"{item.key} ended as {item.what}"
                yield _Complaint(t_ns=item.t_ns, what=what, is_sure=True)

    def _is_done(self, items: Sequence[WorkItem]) -> bool:
        ends = [item for item in items if item.what in ENDS]
        degraded = [item for item in items if item.what == "degraded"]
        if not degraded:
            return bool(ends)
        if not self.refreshed:
            return True
        return any(
            item.what == "finished"
            and item.t_ns >= degraded[-1].t_ns
            and item.source in {None, Source.PRIMARY}
            for item in ends
        )

    def _is_overdue(self, items: Sequence[WorkItem], end_ns: int, scenario: Scenario) -> bool:
        """Say whether open work had its time: `within`, or a settle hold without a sign of life."""
        if self.within_s is not None:
            return end_ns - items[0].t_ns > self.within_s * NS_PER_S
        return end_ns - items[-1].t_ns > scenario.settle.hold_s * NS_PER_S

    def _late(self, items: Sequence[WorkItem]) -> Iterator[_Complaint]:
        accepted = [item for item in items if item.what == "accepted"]
        ended = [item for item in items if item.what in {*ENDS, "degraded"}]
        if self.within_s is None or not accepted:
            return
        took_s = (ended[-1].t_ns - accepted[0].t_ns) / NS_PER_S
        if took_s > self.within_s:
            what = f"{items[0].key} took {took_s:.3f} s"
            yield _Complaint(t_ns=ended[-1].t_ns, what=what, is_sure=True)

    def _probed(self, history: History) -> Iterator[_Complaint]:
        if self.probe is None:
            return
        answers = history.of(Probe, lambda p: p.probe == self.probe and self.value in p.values)
        if not answers:
            what = f"no answer of probe {self.probe} holds {self.value}"
            yield _Complaint(t_ns=0, what=what, is_sure=False)
        elif as_text(answers[-1].values[self.value]) != as_text(self.equals):
            what = f"{self.probe} says {self.value} = {answers[-1].values[self.value]!r} at last"
            yield _Complaint(t_ns=answers[-1].t_ns, what=what, is_sure=True)
