"""Which fault can be injected where: the matrix of the reference, of `doctor` and of `explain`."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fault_injectors.catalogue import FAULTS
from harness.clock import SystemClock
from harness.command_line.catalogue import example_fault
from harness.environments.choice import PROXIES_OF, make_environment
from harness.model.fault import Capability, Fault

_SHARE = 0.5  # any share below 1 needs the same
_WHY: Mapping[Capability, str] = {
    Capability.NETWORK_SHARE: "only the embedded proxy draws connections by the run's seed",
    Capability.CLOCK: "the time of day of a process is that of this machine",
    Capability.DNS: "processes find each other by address, so no name is resolved",
    Capability.ATTACHMENT: "processes share one network",
    Capability.LIMIT: "processes have no engine of containers that limits them",
    Capability.DISK: "processes write to the file system of this machine",
}
_INTRODUCTION = """\
A fault can be injected where the environment offers all that it needs.
`atlas-chaos doctor` prints this matrix for the machine at hand. This page is made from the faults
and the environments themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An environment with one of its fault proxies, `--environment` and `--proxy`."""

    environment: str
    proxy: str

    def __str__(self) -> str:
        """Return what stands above the column.

        >>> str(Column(environment="processes", proxy="embedded"))
        'processes, embedded'
        """
        return f"{self.environment}, {self.proxy}"

    def offered(self) -> frozenset[Capability]:
        """Return what it offers."""
        return make_environment(self.environment, self.proxy, SystemClock()).offers()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fault, and why each column does not offer it; an empty reason means that it does."""

    fault: str
    summary: str
    reasons: tuple[str, ...]


COLUMNS = tuple(
    Column(environment=environment, proxy=proxy)
    for environment, proxies in PROXIES_OF.items()
    for proxy in proxies
)


def rows(absent: Mapping[Column, str] | None = None) -> list[Row]:
    """Return the matrix, faults in the order of the catalogue.

    Args:
        absent: Columns that this machine cannot offer at all, with the reason.
    """
    offers = [(column, column.offered()) for column in COLUMNS]
    found = []
    for fault in _all_of_them():
        name, summary, needs = fault
        reasons = (
            (absent or {}).get(column) or _reason(needs - offered) for column, offered in offers
        )
        found.append(Row(fault=name, summary=summary, reasons=tuple(reasons)))
    return found


def offered_by(name: str) -> list[tuple[Column, str]]:
    """Return for each column why it does not offer a fault; empty: it does."""
    [row] = [one for one in rows() if one.fault == name]
    return list(zip(COLUMNS, row.reasons, strict=True))


def _all_of_them() -> Iterator[tuple[str, str, frozenset[Capability]]]:
    """Yield name, summary and needs of each fault, and of all that act on a share of traffic."""
    sharing: list[tuple[str, frozenset[Capability]]] = []
    for kind in FAULTS:
        fault = example_fault(kind.name)
        part = _with_share(fault, _SHARE)
        if part is not None:
            sharing.append((kind.name, part.needs))
        whole = _with_share(fault, 1.0) or fault
        yield kind.name, kind.summary, whole.needs
    names = ", ".join(name for name, _ in sharing)
    needs = frozenset[Capability]().union(*(needs for _, needs in sharing))
    yield "share below 100%", f"only some connections, for {names}", needs


def _with_share(fault: Any, share: float) -> Fault | None:
    """Return a copy that acts on a share of the traffic; None if the fault knows no shares."""
    if not hasattr(fault, "share_ratio"):
        return None
    changed: Fault = dataclasses.replace(fault, share_ratio=share)
    return changed


def _reason(lacking: frozenset[Capability]) -> str:
    return "; ".join(_WHY.get(one, f"no control of {one}") for one in sorted(lacking))


def matrix_text(matrix: Sequence[Row]) -> str:
    """Return the matrix for a terminal: `y`, or `-` with the number of its reason below."""
    reasons = _numbered(matrix)
    width = max(len(row.fault) for row in matrix)
    heads = [str(column) for column in COLUMNS]
    lines = [f"{'fault':<{width}}  {'  '.join(heads)}"]
    for row in matrix:
        cells = (_cell(why, reasons) for why in row.reasons)
        padded = (f"{cell:<{len(head)}}" for cell, head in zip(cells, heads, strict=True))
        lines.append(f"{row.fault:<{width}}  {'  '.join(padded)}".rstrip())
    lines += [f"({number}) {why}" for why, number in reasons.items()]
    return "\n".join(lines)


def matrix_page(matrix: Sequence[Row]) -> str:
    """Return the page of the reference."""
    reasons = _numbered(matrix)
    head = ["fault", "what it does", *map(str, COLUMNS)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in matrix:
        name = f"[`{row.fault}`](faults.md#{row.fault})" if _is_name(row.fault) else row.fault
        cells = [name, row.summary, *(_cell(why, reasons) for why in row.reasons)]
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- ({number}) {why}" for why, number in reasons.items()]
    return "\n".join(["# Fault matrix", "", _INTRODUCTION, "", *lines, "", *notes]) + "\n"


def _numbered(matrix: Sequence[Row]) -> dict[str, int]:
    """Return a number for each reason, in order of appearance."""
    found = dict.fromkeys(why for row in matrix for why in row.reasons if why)
    return {why: number for number, why in enumerate(found, start=1)}


def _cell(why: str, reasons: Mapping[str, int]) -> str:
    return f"- ({reasons[why]})" if why else "y"


def _is_name(fault: str) -> bool:
    return " " not in fault
