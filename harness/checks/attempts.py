"""The attempts of each call, as the upstream saw them and as the client tells them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from harness.model.history import History
from harness.model.records import Attempt, ChaosAct, ReceivedRequest
from harness.model.system import Link

# Answers after which a sound layer tries again: RFC 9110 for 408, 425 to 504, and no answer.
RETRYABLE_STATUS = frozenset({408, 425, 429, 502, 503, 504})

Call = TypeVar("Call", Attempt, ReceivedRequest, ChaosAct)


def received_calls(history: History, server: str) -> dict[str, list[ReceivedRequest]]:
    """Return the requests that a server saw, by call id, each in order of their arrival."""
    seen = history.of(ReceivedRequest, lambda record: record.service == server)
    return _by_call(sorted(seen, key=lambda record: record.started_ns))


def claimed_calls(history: History, link: Link) -> dict[str, list[Attempt]]:
    """Return the attempts that a client says it made on a link, by call id, in order."""
    said = history.of(
        Attempt, lambda record: record.link == str(link) and record.service == link.client
    )
    return _by_call(sorted(said, key=lambda record: record.started_ns))


def count_attempts(requests: Sequence[ReceivedRequest]) -> int:
    """Return how many attempts the requests of one call are; pages of one attempt count once.

    A request after one that failed is another attempt, whatever number it bears: a client that
    repeats in secret is counted too.

    Args:
        requests: In order of their arrival.
    """
    repeats = sum(
        later.attempt != earlier.attempt or is_failure(earlier)
        for earlier, later in pairwise(requests)
    )
    return repeats + 1 if requests else 0


def is_failure(request: ReceivedRequest) -> bool:
    """Say whether a request was surely answered by something that calls for another attempt."""
    return request.status is None or request.status in RETRYABLE_STATUS


def is_success(request: ReceivedRequest) -> bool:
    """Say whether a request was surely answered well: a script may have spoiled a 200."""
    return request.status is not None and request.status < 300 and request.scripted is None  # noqa: PLR2004 -- 2xx


def _by_call(records: Iterable[Call]) -> dict[str, list[Call]]:
    calls: dict[str, list[Call]] = {}
    for record in records:
        if record.call_id is not None:
            calls.setdefault(record.call_id, []).append(record)
    return calls
