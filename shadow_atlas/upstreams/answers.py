"""Decide what a stand-in answers to one request: the right page, bent as the scripts want it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

from shadow_atlas.upstreams.portals import (
    BoundarySource,
    Document,
    PortalForm,
    PortalKind,
    QueryRefused,
)
from shadow_atlas.upstreams.scripts import Close, RetryAfterForm, What
from shadow_atlas.upstreams.wrong_bodies import Payload, wrong_payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer, and how it is to be sent.

    Args:
        status: HTTP status.
        payload: The body.
        retry_after: Value of the `Retry-After` header, None for none.
        bytes_per_s: Speed of the body, None for as fast as the connection takes it.
        is_cut: Whether the connection is cut after half of the body.
    """

    status: int
    payload: Payload
    retry_after: str | None = None
    bytes_per_s: float | None = None
    is_cut: bool = False


class AnswerDesk:
    """Answer queries in the form of one portal.

    Args:
        kind: What the portal publishes, and in pages of which size.
        form: Its way to read queries and to write answers.
        boundaries: The geometry.
    """

    def __init__(self, *, kind: PortalKind, form: PortalForm, boundaries: BoundarySource) -> None:
        self._kind = kind
        self._form = form
        self._boundaries = boundaries

    def answer(
        self, path: str, params: Mapping[str, str], *, what: What | None, now_wall_s: float
    ) -> Answer:
        """Return the answer to a query.

        Args:
            path: Path of the request.
            params: Its query parameters.
            what: The change that a script wants, None for the portal's own answer.
            now_wall_s: Unix seconds, from which the date of a `Retry-After` is counted.
        """
        page_size = what.page_size if what else None
        status, document = self._own(path, params, page_size=page_size)
        right = _encoded(document)
        if what is None:
            return Answer(status=status, payload=Payload(content=right))
        if what.status is not None:
            _, error = self._form.refusal("scripted failure", code=what.status)
            right = _encoded(error) if what.status >= 400 else right  # noqa: PLR2004 - HTTP errors
        return Answer(
            status=what.status or status,
            payload=self._payload(what, right),
            retry_after=_retry_after(what, now_wall_s=now_wall_s),
            bytes_per_s=what.bytes_per_s,
            is_cut=what.close is Close.MID,
        )

    def _own(
        self, path: str, params: Mapping[str, str], *, page_size: int | None
    ) -> tuple[int, Document]:
        try:
            selection = self._form.select(path, params)
        except QueryRefused as refused:
            return self._form.refusal(str(refused), code=refused.code)
        features = self._boundaries.features(state=selection.state, layer=selection.layer)
        count_max = min(page_size or self._kind.record_count_max, self._kind.record_count_max)
        return 200, self._form.page(selection, features, record_count_max=count_max)

    def _payload(self, what: What, right: bytes) -> Payload:
        if what.body is None:
            return Payload(content=right)
        _, error = self._form.refusal("scripted failure", code=what.error_code)
        return wrong_payload(
            what.body, right=right, error=_encoded(error), size_bytes=what.size_bytes
        )


def _retry_after(what: What, *, now_wall_s: float) -> str | None:
    if what.retry_after_s is None:
        return None
    if what.retry_after_form is RetryAfterForm.SECONDS:
        return f"{what.retry_after_s:g}"
    # HTTP dates are whole seconds. Rounded up: a date that is too early would permit a retry
    # sooner than the script says.
    return formatdate(math.ceil(now_wall_s + what.retry_after_s), usegmt=True)


def _encoded(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
