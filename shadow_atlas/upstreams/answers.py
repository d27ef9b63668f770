"""Decide what a stand-in answers to one request: the right page, bent as the scripts want it."""

import json
from collections.abc import Mapping

from shadow_atlas.stand_ins.answers import Answer, scripted_answer
from shadow_atlas.stand_ins.scripts import What
from shadow_atlas.stand_ins.stand_in import Place
from shadow_atlas.stand_ins.wrong_bodies import Payload, wrong_payload
from shadow_atlas.upstreams.portals import (
    BoundarySource,
    Document,
    PortalForm,
    PortalKind,
    QueryRefused,
)


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

    def locate(self, path: str, params: Mapping[str, str]) -> Place:
        """Return the state and layer that a request names, as far as it does."""
        state, layer = self._form.locate(path, params)
        return Place(state=state, layer=layer)

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
        return scripted_answer(
            what, status=status, payload=self._payload(what, right), now_wall_s=now_wall_s
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
            what.body,
            right=Payload(content=right),
            error=Payload(content=_encoded(error)),
            size_bytes=what.size_bytes,
        )


def _encoded(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
