"""Answer for single blocks, in the form of a trustless gateway.

Source: https://specs.ipfs.tech/http-gateways/trustless-gateway/
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from shadow_atlas.content_addressing import BuiltFile, Cid, CidRejected
from shadow_atlas.stand_ins.answers import Answer, scripted_answer
from shadow_atlas.stand_ins.scripts import What
from shadow_atlas.stand_ins.stand_in import Place
from shadow_atlas.stand_ins.wrong_bodies import Payload, wrong_payload

BLOCK_PATHS: Final = ("/ipfs/",)
RAW_TYPE: Final = "application/vnd.ipld.raw"
_JSON_TYPE: Final = "application/json"
_OK: Final = 200
_ERRORS: Final = 400  # statuses from here on


class BlockDesk:
    """Hold blocks by name, and hand each of them out as it is.

    Args:
        files: The files whose blocks are published. A block that several of them have is known
            by its number in the first one.
    """

    def __init__(self, files: Iterable[BuiltFile]) -> None:
        self._blocks: dict[Cid, bytes] = {}
        self._numbers: dict[Cid, int] = {}
        for file in files:
            for number, (cid, block) in enumerate(file.blocks):
                self._blocks.setdefault(cid, block)
                self._numbers.setdefault(cid, number)

    def locate(self, path: str, params: Mapping[str, str]) -> Place:
        """Return the number of the block that a path names, if it names a published one."""
        del params
        try:
            return Place(block=self._numbers.get(_cid(path)))
        except CidRejected:
            return Place()

    def answer(
        self, path: str, params: Mapping[str, str], *, what: What | None, now_wall_s: float
    ) -> Answer:
        """Return a block, or why there is none; changed as a script wants."""
        status, payload = self._own(path, params)
        if what is None:
            return Answer(status=status, payload=payload)
        if what.status is not None and what.status >= _ERRORS:
            payload = _error("scripted failure")
        if what.body is not None:
            payload = wrong_payload(
                what.body,
                right=payload,
                error=_error("scripted failure"),
                size_bytes=what.size_bytes,
            )
        return scripted_answer(what, status=status, payload=payload, now_wall_s=now_wall_s)

    def _own(self, path: str, params: Mapping[str, str]) -> tuple[int, Payload]:
        if params.get("format") != "raw":
            return 406, _error("only blocks are served here; ask for ?format=raw")
        try:
            block = self._blocks.get(_cid(path))
        except CidRejected as error:
            return 400, _error(str(error))
        if block is None:
            return 404, _error("no such block")
        return _OK, Payload(content=block, content_type=RAW_TYPE)


def _cid(path: str) -> Cid:
    return Cid.parse(path.removeprefix(BLOCK_PATHS[0]))


def _error(message: str) -> Payload:
    content = json.dumps({"error": message}, separators=(",", ":")).encode()
    return Payload(content=content, content_type=_JSON_TYPE)
