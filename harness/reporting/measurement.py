"""Say how far a run's record can be trusted: what keeps `inconclusive` apart from `failed`."""

from harness.model.history import History
from harness.model.records import NS_PER_S, EventGap, FaultRecord, LagSample, Operation
from harness.reporting.quantities import count, seconds
from harness.reporting.series import quantile


def health_of(history: History) -> list[tuple[str, str]]:
    """Return name and value of each fact about the measurement itself, for people."""
    facts = [("operations", _operations(history)), ("dispatch", _dispatch(history))]
    lags = [sample.lag_ns / NS_PER_S for sample in history.of(LagSample)]
    if lags:
        facts.append(("worst stall seen", f"{seconds(max(lags))}, {count(len(lags), 'sample')}"))
    missing = sum(gap.missing for gap in history.of(EventGap))
    facts.append(("events missing", str(missing)))
    facts += [(f"fault {record.fault_id}", _fault(record)) for record in history.of(FaultRecord)]
    return facts


def _operations(history: History) -> str:
    found = history.operations()
    return f"{len(found)} in {count(len({operation.load for operation in found}), 'load')}"


def _dispatch(history: History) -> str:
    late = sorted((op.started_ns - op.t_ns) / NS_PER_S for op in history.of(Operation))
    if not late:
        return "nothing was offered"
    return f"late by {seconds(max(quantile(late, 0.99), 0.0))} at the 99th percentile"


def _fault(record: FaultRecord) -> str:
    seen = f", {record.count} times" if record.what == "effect" and record.count else ""
    detail = f": {record.detail}" if record.detail else ""
    return f"{record.what} at {record.t_ns / NS_PER_S:.2f} s{seen}{detail}"
