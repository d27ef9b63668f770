"""Hold one answer of a stand-in, and how it is to be sent."""

import math
from dataclasses import dataclass
from email.utils import formatdate

from shadow_atlas.stand_ins.scripts import Close, RetryAfterForm, What
from shadow_atlas.stand_ins.wrong_bodies import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer, and how it is to be sent.

    Args:
        status: HTTP status.
        payload: The body.
        retry_after: Value of the `Retry-After` header, None for none.
        bytes_per_s: Speed of the body, None for as fast as the connection takes it.
        is_cut: Whether the connection is cut after half of the body.
        is_last: Whether the connection is closed in order after the answer.
    """

    status: int
    payload: Payload
    retry_after: str | None = None
    bytes_per_s: float | None = None
    is_cut: bool = False
    is_last: bool = False


def scripted_answer(what: What, *, status: int, payload: Payload, now_wall_s: float) -> Answer:
    """Return an answer that is sent as a script wants.

    Args:
        what: The script's change; its status stands before the stand-in's own.
        status: The stand-in's own status.
        payload: The body, already made wrong if the script wants that.
        now_wall_s: Unix seconds, from which the date of a `Retry-After` is counted.
    """
    return Answer(
        status=what.status or status,
        payload=payload,
        retry_after=_retry_after(what, now_wall_s=now_wall_s),
        bytes_per_s=what.bytes_per_s,
        is_cut=what.close is Close.MID,
        is_last=what.close is Close.AFTER,
    )


def _retry_after(what: What, *, now_wall_s: float) -> str | None:
    if what.retry_after_s is None:
        return None
    if what.retry_after_form is RetryAfterForm.SECONDS:
        return f"{what.retry_after_s:g}"
    # HTTP dates are whole seconds. Rounded up: a date that is too early would permit a retry
    # sooner than the script says.
    return formatdate(math.ceil(now_wall_s + what.retry_after_s), usegmt=True)
