"""When a load was itself again after the last heal: what is good, and from where on."""

from harness.checks.change_point import change_point
from harness.checks.statistics import reject_low
from harness.model.history import History
from harness.model.records import NS_PER_S, FaultRecord, Operation, Outcome
from harness.model.scenario import SteadyState

_SLOW_RATIO = 0.05  # a steady state's p95 lets so many be slower
_TAIL_ALARM = 1e-3  # an estimate may err once in a thousand runs; verdicts do not rest on it


def is_good(operation: Operation, steady_state: SteadyState, source: str) -> bool:
    """Say whether an operation looks as it does in the steady state.

    Args:
        operation: What the client saw.
        steady_state: Its latency limit counts, if it has one.
        source: Where the answer has to come from; `any` if that does not matter. An answer that
            does not say where it comes from counts as `primary`.
    """
    limit_s = steady_state.latency_p95_s
    return (
        operation.outcome == Outcome.OK
        and source in {"any", operation.source or "primary"}
        and (limit_s is None or operation.latency_s <= limit_s)
    )


def slo_of(steady_state: SteadyState) -> float:
    """Return the least share of good operations in the steady state."""
    if steady_state.latency_p95_s is None:
        return steady_state.success_ratio
    return max(0.0, steady_state.success_ratio - _SLOW_RATIO)


def recovery_of(
    history: History, load: str, steady_state: SteadyState, source: str
) -> tuple[float | None, str]:
    """Return the estimated recovery time in seconds, and the same in words.

    None, "not recovered" if what follows the change is surely not the steady state. The time is
    0 if nothing was bad after the heal, or no more than chance explains.
    """
    heal_ns = history.last_heal_ns()
    operations = [] if heal_ns is None else _since_last_fault(history, load)
    after = [operation for operation in operations if operation.t_ns >= (heal_ns or 0)]
    if heal_ns is None or not after:
        return None, "no operation followed the heal"
    horizon_s = (after[-1].t_ns - heal_ns) / NS_PER_S
    goods = [is_good(operation, steady_state, source) for operation in operations]
    first = change_point(goods)
    start = len(operations) - len(after) if first is None else first
    rest = goods[start:]
    if sum(rest) <= reject_low(len(rest), slo_of(steady_state), _TAIL_ALARM):
        return None, f"not recovered: > {horizon_s:.3f} s"
    recovery_s = max(0.0, (operations[start].t_ns - heal_ns) / NS_PER_S)
    if first is None or recovery_s == 0.0:
        return 0.0, "recovered at once"
    last_bad_s = max(0.0, (operations[first - 1].t_ns - heal_ns) / NS_PER_S)
    return recovery_s, f"recovered after {last_bad_s:.3f} to {recovery_s:.3f} s"


def _since_last_fault(history: History, load: str) -> list[Operation]:
    """Return the operations since the fault that was healed last came into force."""
    healed = [record for record in history.of(FaultRecord) if record.what == "healed"]
    windows = history.fault_windows(healed[-1].fault_id)
    window = windows.get(healed[-1].fault_id)
    start_ns = healed[-1].t_ns if window is None else window.start_ns
    return [operation for operation in history.operations(load) if operation.t_ns >= start_ns]
