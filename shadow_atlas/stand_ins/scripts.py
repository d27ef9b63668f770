"""Say what a stand-in does wrong, to which requests, and when: scripts as frozen values.

A script's durations are real seconds and are used as they are. Whoever sends a script has
already multiplied them by the time scale of the run; a stand-in that scaled them again would
inject a delay that nobody asked for.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum

LATENCY_MAX_S = 600.0  # no client of ours waits ten minutes; a typing error must not hold sockets
SIZE_MAX_BYTES = 256 * 1024 * 1024  # well above any client's limit, and still quickly sent
SIZE_DEFAULT_BYTES = 33 * 1024 * 1024  # just above the 32 MiB that the batch service accepts
STATUS_MIN, STATUS_MAX = 200, 599


class Body(StrEnum):
    """A wrong body of an otherwise complete HTTP answer."""

    MALFORMED = "malformed"  # valid JSON, but not boundary data: a ring of two positions
    TRUNCATED = "truncated"  # the first half of the JSON text, as a complete message
    EMPTY = "empty"
    ERROR_IN_200 = "error_in_200"  # the portal's own error document under status 200
    TRICKLE = "trickle"  # the right body, at `bytes_per_s`
    OVERSIZE = "oversize"  # the right body, followed by white space up to `size_bytes`
    WRONG_TYPE = "wrong_type"  # a maintenance page in HTML
    CORRUPT = "corrupt"  # the right body, but for one flipped bit in its middle


class Close(StrEnum):
    """When to cut the connection."""

    BEFORE = "before"  # no byte of an answer
    MID = "mid"  # the head and the first half of the body
    AFTER = "after"  # in order, after the whole answer: the next request needs a connection


class RetryAfterForm(StrEnum):
    """Which of the two forms of RFC 9110 a `Retry-After` header takes."""

    SECONDS = "seconds"
    HTTP_DATE = "http_date"  # whole seconds, rounded up: the date is never too early


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which requests a script acts on; None matches all.

    Args:
        state: Postal code of the state asked for.
        layer: Name of the layer asked for.
        path: Beginning of the request's path.
        block: Number of the block of a file that is asked for, from 0, which is its root.

    Raises:
        ValueError: If the number is negative.
    """

    state: str | None = None
    layer: str | None = None
    path: str | None = None
    block: int | None = None

    def __post_init__(self) -> None:
        if self.block is not None and self.block < 0:
            raise ValueError(f"block={self.block!r} must be at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which of the matching requests a script acts on; without a field, on all of them.

    Args:
        attempts: Attempt numbers of a call, from 1, as the caller counts them.
        probability: Share of the requests in [0, 1]; the draw is seeded by call and attempt,
            so the order in which requests arrive does not change who is hit.
        first: Number of requests, counted from the time the script was set.

    Raises:
        ValueError: If more than one field is given, or a field leaves its range.
    """

    attempts: tuple[int, ...] | None = None
    probability: float | None = None
    first: int | None = None

    def __post_init__(self) -> None:
        given = [
            name for name in ("attempts", "probability", "first") if getattr(self, name) is not None
        ]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other; give one of them")
        if self.attempts is not None and (not self.attempts or min(self.attempts) < 1):
            raise ValueError(f"attempts={list(self.attempts)!r} must name attempts from 1 on")
        if self.probability is not None and not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability={self.probability!r} must be in [0, 1]")
        if self.first is not None and self.first < 1:
            raise ValueError(f"first={self.first!r} must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """What a script does to an answer.

    Args:
        latency_s: Real seconds before the answer begins, in [0, 600].
        status: HTTP status instead of the portal's own, in [200, 599].
        retry_after_s: Seconds for a `Retry-After` header; needs `status`.
        retry_after_form: Form of that header.
        body: A wrong body.
        bytes_per_s: Speed of `body: trickle`.
        size_bytes: Length of `body: oversize`.
        error_code: Code in the document of `body: error_in_200`.
        hang: Never answer; ends when the client gives up or the stand-in stops.
        page_size: Most features in one page, whatever the client asked for. ArcGIS only: it
            marks a capped page, where a Socrata client has to take a short one for the last.
        close: Cut the connection.

    Raises:
        ValueError: If nothing is done, a field leaves its range, or two fields contradict
            each other.
    """

    latency_s: float = 0.0
    status: int | None = None
    retry_after_s: float | None = None
    retry_after_form: RetryAfterForm = RetryAfterForm.SECONDS
    body: Body | None = None
    bytes_per_s: float | None = None
    size_bytes: int = SIZE_DEFAULT_BYTES
    error_code: int = 500  # what ArcGIS answers when its own database fails
    hang: bool = False
    page_size: int | None = None
    close: Close | None = None

    def __post_init__(self) -> None:
        self._check_ranges()
        self._check_combination()

    @property
    def changes_answer(self) -> bool:
        """Say whether more than the time of the answer changes."""
        return bool(self.hang or self.status or self.body or self.page_size or self.close)

    def _check_ranges(self) -> None:
        if not 0.0 <= self.latency_s <= LATENCY_MAX_S:
            raise ValueError(f"latency_s={self.latency_s!r} must be in [0, {LATENCY_MAX_S:g}]")
        if self.status is not None and not STATUS_MIN <= self.status <= STATUS_MAX:
            raise ValueError(f"status={self.status!r} must be in [{STATUS_MIN}, {STATUS_MAX}]")
        if self.retry_after_s is not None and not _is_not_negative(self.retry_after_s):
            raise ValueError(f"retry_after_s={self.retry_after_s!r} must be finite and at least 0")
        if self.bytes_per_s is not None and not (
            _is_not_negative(self.bytes_per_s) and self.bytes_per_s
        ):
            raise ValueError(f"bytes_per_s={self.bytes_per_s!r} must be finite and above 0")
        if not 0 < self.size_bytes <= SIZE_MAX_BYTES:
            raise ValueError(f"size_bytes={self.size_bytes!r} must be in [1, {SIZE_MAX_BYTES}]")
        if self.page_size is not None and self.page_size < 1:
            raise ValueError(f"page_size={self.page_size!r} must be at least 1")

    def _check_combination(self) -> None:
        if not (self.latency_s or self.changes_answer):
            raise ValueError(
                "nothing to do; give latency_s, status, body, hang, page_size or close"
            )
        if self.hang and (
            self.latency_s or self.status or self.body or self.page_size or self.close
        ):
            raise ValueError("hang leaves no answer that another field could change")
        if self.close is Close.BEFORE and (self.status or self.body or self.page_size):
            raise ValueError("close='before' leaves no answer that another field could change")
        if self.status is not None and (self.body is Body.ERROR_IN_200 or self.page_size):
            raise ValueError(
                "status contradicts body='error_in_200' and page_size, which answer 200"
            )
        if self.retry_after_s is not None and self.status is None:
            raise ValueError("retry_after_s needs a status to stand beside")
        if (self.body is Body.TRICKLE) != (self.bytes_per_s is not None):
            raise ValueError("body='trickle' and bytes_per_s need each other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One named deviation of a stand-in.

    Args:
        name: Identifies the script in records and when it is lifted.
        match: Which requests it acts on.
        when: Which of those.
        what: What it does.

    Raises:
        ValueError: If the name is empty or has a slash or a comma, which would make it
            ambiguous in an address and in a record.
    """

    name: str
    match: Match = field(default_factory=Match)
    when: When = field(default_factory=When)
    what: What

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set("/, "):
            raise ValueError(f"name={self.name!r} must be a word without slash, comma or space")


def _is_not_negative(number: float) -> bool:
    return math.isfinite(number) and number >= 0
