"""The fields of the events that retrying announces."""

from typing import TypeVar

from resilience.breaker_state import Outcome
from resilience.calls import Call
from resilience.classification import ErrorClass
from resilience.events import FieldValue

T = TypeVar("T")


def attempt_fields(
    call: Call[T], outcome: Outcome, error_class: ErrorClass | None, started_s: float
) -> dict[str, FieldValue]:
    """Describe the end of the newest attempt of `call`.

    An attempt that the call's own deadline cut has failed: for whoever asks, the upstream's
    slowness is the reason. One that was cancelled from outside is abandoned.
    """
    is_cut = call.deadline is not None and call.deadline.expired
    if outcome is Outcome.ABANDONED and is_cut:
        outcome, error_class = Outcome.FAILED, ErrorClass.NETWORK_TIMEOUT
    return {
        "operation": call.operation,
        "call_id": call.call_id,
        "attempt": call.attempts,
        "started_s": started_s,
        "backoff_s": call.delay_s,
        "outcome": outcome.value,
        "error_class": None if error_class is None else error_class.value,
    }


def ending_fields(call: Call[T], error_class: ErrorClass | None) -> dict[str, FieldValue]:
    """Describe how `call` ended when retrying gave up."""
    return {
        "operation": call.operation,
        "call_id": call.call_id,
        "attempts": call.attempts,
        "error_class": None if error_class is None else error_class.value,
    }
