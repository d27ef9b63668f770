"""The fault `upstream_response`: an upstream gives wrong answers, or none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fault_injectors.described_values import require_described_values
from harness.model.fault import Capabilities, Capability, Effect
from harness.model.fields import Kind, meta

BODIES = (
    "malformed",
    "truncated",
    "empty",
    "error_in_200",
    "trickle",
    "oversize",
    "wrong_type",
    "corrupt",
)
_LATENCY_MAX_S = 600.0  # no client of a run waits ten minutes
_SIZE_MAX_BYTES = 256 * 1024 * 1024  # above any client's limit, and still quickly sent
_WHAT = ("latency", "status", "body", "hang", "page_size", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamResponse:
    """Script what the stand-in of an upstream answers: which requests, and what goes wrong.

    Clients see: complete, well-formed HTTP of the wrong kind, or a connection that ends early;
    other requests are answered as ever.
    Heals: the script is removed; requests that it delays or hangs are let go.
    Cannot imitate: trouble below HTTP (use a fault on the link), or a real upstream: it needs a
    stand-in that takes scripts.
    Do: break one state, one layer or one attempt, and check that the rest is untouched.
    Don't: break every attempt where the claim is about retries; they can then only fail.

    Of `attempts`, `first` and `probability` at most one; without any, all requests that match.

    Raises:
        ValueError: If a value leaves its range, two values contradict each other, or nothing
            would be done.
    """

    name: ClassVar[str] = "upstream_response"
    summary: ClassVar[str] = "script wrong answers of an upstream's stand-in"

    service: str = field(metadata=meta(Kind.SERVICE, "the stand-in"))
    state: str | None = field(
        default=None, metadata=meta(Kind.TEXT, "only requests for this state, e.g. WI")
    )
    layer: str | None = field(
        default=None, metadata=meta(Kind.TEXT, "only requests for this layer, e.g. county")
    )
    path: str | None = field(
        default=None, metadata=meta(Kind.TEXT, "only requests whose path begins like this")
    )
    block: int | None = field(
        default=None,
        metadata=meta(Kind.COUNT, "only requests for this block of a file, 0 is its root"),
    )
    attempts: tuple[int, ...] | None = field(
        default=None,
        metadata=meta(
            Kind.COUNTS, "only these attempts of a call, from 1", minimum=1, maximum=1_000
        ),
    )
    first: int | None = field(
        default=None,
        metadata=meta(Kind.COUNT, "only so many requests, the first ones", minimum=1),
    )
    probability: float | None = field(
        default=None,
        metadata=meta(
            Kind.RATIO,
            "share of requests, chosen by the seed",
            minimum=0.001,  # fewer than one in a thousand is an accident, not a fault
            maximum=1.0,
        ),
    )
    latency_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION, "wait before the answer", minimum=0.001, maximum=_LATENCY_MAX_S
        ),
    )
    status: int | None = field(
        default=None, metadata=meta(Kind.COUNT, "HTTP status", minimum=200, maximum=599)
    )
    retry_after_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION, "time in a Retry-After header", minimum=0, maximum=_LATENCY_MAX_S
        ),
    )
    retry_after_form: str | None = field(
        default=None,
        metadata=meta(
            Kind.CHOICE,
            "form of that header; seconds if not given",
            choices=("seconds", "http_date"),
        ),
    )
    body: str | None = field(
        default=None, metadata=meta(Kind.CHOICE, "a wrong body", choices=BODIES)
    )
    speed_bytes_per_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.RATE, "bytes a second of body trickle", key="speed", minimum=1, maximum=1e9
        ),
    )
    size_bytes: int | None = field(
        default=None,
        metadata=meta(Kind.SIZE, "length of body oversize", minimum=1, maximum=_SIZE_MAX_BYTES),
    )
    error_code: int | None = field(
        default=None,
        metadata=meta(Kind.COUNT, "code in the document of body error_in_200", minimum=0),
    )
    hang: bool = field(default=False, metadata=meta(Kind.FLAG, "never answer"))
    page_size: int | None = field(
        default=None,
        metadata=meta(Kind.COUNT, "most features in one page", minimum=1, maximum=100_000),
    )
    close: str | None = field(
        default=None,
        metadata=meta(
            Kind.CHOICE,
            "cut the connection before the answer or amid its body, or close it after that",
            choices=("before", "mid", "after"),
        ),
    )

    def __post_init__(self) -> None:
        require_described_values(self)
        self._require_one_selection()
        self._require_something_to_do()
        self._require_company()

    def _require_one_selection(self) -> None:
        selections = {
            "attempts": self.attempts,
            "first": self.first,
            "probability": self.probability,
        }
        given = [key for key, value in selections.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{given[1]}: excludes {given[0]}; give one of them")
        if self.attempts == ():
            raise ValueError("attempts: names no attempt, so nothing would be done")

    def _require_something_to_do(self) -> None:
        changes = {
            "latency": self.latency_s,
            "status": self.status,
            "body": self.body,
            "page_size": self.page_size,
            "close": self.close,
        }
        given = [key for key, value in changes.items() if value is not None]
        if not given and not self.hang:
            raise ValueError(f"nothing would be done; give one of {', '.join(_WHAT)}")
        if self.hang and given:
            raise ValueError(f"hang: leaves no answer that {given[0]} could change")
        cut = [key for key in given if key not in {"latency", "close"}]
        if self.close == "before" and cut:
            raise ValueError(f"close: before leaves no answer that {cut[0]} could change")
        if self.status is not None and (self.body == "error_in_200" or self.page_size):
            rival = "body error_in_200" if self.body == "error_in_200" else "page_size"
            raise ValueError(f"status: contradicts {rival}, which answers 200")

    def _require_company(self) -> None:
        needs = (
            ("retry_after", self.retry_after_s, self.status is not None, "a status"),
            (
                "retry_after_form",
                self.retry_after_form,
                self.retry_after_s is not None,
                "retry_after",
            ),
            ("speed", self.speed_bytes_per_s, self.body == "trickle", "body trickle"),
            ("size", self.size_bytes, self.body == "oversize", "body oversize"),
            ("error_code", self.error_code, self.body == "error_in_200", "body error_in_200"),
        )
        for key, value, has_company, company in needs:
            if value is not None and not has_company:
                raise ValueError(f"{key}: means nothing without {company}")
        if self.body == "trickle" and self.speed_bytes_per_s is None:
            raise ValueError("body: trickle needs a speed")

    @property
    def target(self) -> str:
        """Return the stand-in."""
        return self.service

    @property
    def needs(self) -> frozenset[Capability]:
        """Return control over the stand-ins' answers."""
        return frozenset({Capability.UPSTREAM})

    @property
    def script(self) -> Mapping[str, Any]:
        """Return the script as the stand-in takes it, without a name: the capability gives one."""
        match = {
            "state": self.state,
            "layer": self.layer,
            "path": self.path,
            "block": self.block,
        }
        fields = {
            "match": {key: value for key, value in match.items() if value is not None} or None,
            "attempts": None if self.attempts is None else list(self.attempts),
            "first": self.first,
            "probability": self.probability,
            "latency_s": self.latency_s,
            "status": self.status,
            "retry_after_s": self.retry_after_s,
            "retry_after_form": self.retry_after_form,
            "body": self.body,
            "bytes_per_s": self.speed_bytes_per_s,
            "size_bytes": self.size_bytes,
            "error_code": self.error_code,
            "hang": self.hang or None,
            "page_size": self.page_size,
            "close": self.close,
        }
        return {key: value for key, value in fields.items() if value is not None}

    def inject(self, on: Capabilities) -> Effect:
        """Add the script; leaving the context removes it."""
        return on.upstreams.script(self.service, self.script)
