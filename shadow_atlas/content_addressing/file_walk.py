"""Put a file together from blocks that nobody has to be trusted for, within limits."""

from dataclasses import dataclass, fields

from shadow_atlas.content_addressing.cid import Cid, CidRejected, Codec
from shadow_atlas.content_addressing.dag_pb import decode_node
from shadow_atlas.content_addressing.unixfs import NotAFile, decode_file_part
from shadow_atlas.content_addressing.varint import MalformedBytes


class BlockMismatch(Exception):
    """A block is not the one that was asked for: its sender is at fault, another may do better."""


class FileRefused(Exception):
    """The named content cannot be taken, whoever sends it: no file, malformed, or too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """How much of a file is taken.

    Args:
        block_bytes: Largest block. Kubo and Bitswap exchange no larger ones than 2 MiB.
        file_bytes: Largest file, known from its root before anything else is fetched.
        depth: Levels below the root. Kubo's files of this size have one; eight levels of 174
            children each would hold any file that there is.
        blocks: Blocks of one file, whatever they hold; empty ones cost requests too.

    Raises:
        ValueError: If a limit is not positive.
    """

    block_bytes: int = 2 * 1024 * 1024
    file_bytes: int = 16 * 1024 * 1024
    depth: int = 8
    blocks: int = 4096

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) < 1:
                raise ValueError(f"{each.name}={getattr(self, each.name)!r} must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Awaited:
    """A block that is still to come: at which depth, and with how many bytes of file below it."""

    cid: Cid
    depth: int
    size_bytes: int | None


class FileWalk:
    """Ask for one block after the other, in the order of the file, and verify each.

    It knows nothing of where blocks come from: who feeds it may change in the middle, and what
    was verified stays.

    Args:
        root: Names the file.
        limits: How much of it is taken.
    """

    def __init__(self, root: Cid, *, limits: FileLimits) -> None:
        self._limits = limits
        self._awaited = [_Awaited(cid=root, depth=0, size_bytes=None)]  # the next one is the last
        self._parts: list[bytes] = []
        self._blocks = 0

    @property
    def wanted(self) -> Cid | None:
        """The block to fetch next; None when the file is complete."""
        return self._awaited[-1].cid if self._awaited else None

    @property
    def block_count(self) -> int:
        """Blocks taken so far."""
        return self._blocks

    def add(self, block: bytes) -> None:
        """Take the wanted block.

        Raises:
            BlockMismatch: If it is another one; the same block is wanted still.
            FileRefused: If it is the right one, and not part of a file that can be taken.
        """
        if not self._awaited:
            raise BlockMismatch("the file is complete; no block is wanted")
        awaited = self._awaited[-1]
        if not awaited.cid.names(block):
            raise BlockMismatch(f"{len(block)} bytes do not hash to {awaited.cid}")
        data, children = self._read(block, awaited)
        found = len(data) + sum(child.size_bytes or 0 for child in children)
        self._require_size(found, awaited)
        self._blocks += 1
        self._awaited.pop()
        self._require_room(children)
        self._awaited.extend(reversed(children))
        self._parts.append(data)

    def content(self) -> bytes:
        """Return the file.

        Raises:
            ValueError: If blocks are still wanted.
        """
        if self._awaited:
            raise ValueError(f"{len(self._awaited)} blocks are still wanted")
        return b"".join(self._parts)

    def _read(self, block: bytes, awaited: _Awaited) -> tuple[bytes, list[_Awaited]]:
        if awaited.cid.codec is Codec.RAW:
            return block, []
        try:
            node = decode_node(block)
            part = decode_file_part(node.data or b"")
            if len(node.links) != len(part.child_sizes_bytes):
                raise FileRefused("a node has not as many sizes as links")
            children = [
                _Awaited(cid=Cid.from_bytes(link.target), depth=awaited.depth + 1, size_bytes=size)
                for link, size in zip(node.links, part.child_sizes_bytes, strict=True)
            ]
        except (MalformedBytes, NotAFile, CidRejected) as error:
            raise FileRefused(f"block {self._blocks}: {error}") from error
        return part.data, children

    def _require_size(self, found: int, awaited: _Awaited) -> None:
        if awaited.size_bytes is None:
            if found > self._limits.file_bytes:
                limit = self._limits.file_bytes
                raise FileRefused(f"{found} bytes are more than the {limit} that are taken")
        elif found != awaited.size_bytes:
            raise FileRefused(
                f"block {self._blocks}: {found} bytes of file where its parent promises"
                f" {awaited.size_bytes}"
            )

    def _require_room(self, children: list[_Awaited]) -> None:
        count = self._blocks + len(self._awaited) + len(children)
        if count > self._limits.blocks:
            raise FileRefused(f"more than {self._limits.blocks} blocks")
        if children and children[0].depth > self._limits.depth:
            raise FileRefused(f"more than {self._limits.depth} levels of blocks")
