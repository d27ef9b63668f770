"""Read and write what a node says about the part of a file that it stands for.

Source: https://specs.ipfs.tech/unixfs/
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from shadow_atlas.content_addressing.protobuf import field, fields
from shadow_atlas.content_addressing.varint import MalformedBytes

_TYPE: Final = 1
_DATA: Final = 2
_FILE_SIZE: Final = 3
_BLOCK_SIZES: Final = 4


class EntryType(IntEnum):
    """What a node stands for; only the first and third are (parts of) files."""

    RAW = 0
    DIRECTORY = 1
    FILE = 2
    METADATA = 3
    SYMLINK = 4
    SHARDED_DIRECTORY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file, or a part of one.

    Args:
        data: The bytes that the node holds itself; they stand before those of its children.
        child_sizes_bytes: Bytes of file below each child, in the order of the node's links.
    """

    data: bytes = b""
    child_sizes_bytes: tuple[int, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Bytes of file in this node and below it."""
        return len(self.data) + sum(self.child_sizes_bytes)


class NotAFile(ValueError):
    """Says what a node stands for instead."""


def decode_file_part(message: bytes) -> FilePart:
    """Read the data of a node.

    Fields that do not matter for the content (mode, time) and unknown ones are passed over, as
    the format demands.

    Raises:
        NotAFile: If the node is a directory, a symbolic link or the like.
        MalformedBytes: If it cannot be read, or its sizes contradict each other.
    """
    singles: dict[int, int | bytes] = {}
    sizes: list[int] = []
    for number, value in fields(message):
        if number == _BLOCK_SIZES:
            sizes.append(_whole(value, "a block size"))
        else:
            singles[number] = value
    _require_file(singles.get(_TYPE))
    data = singles.get(_DATA, b"")
    if isinstance(data, int):
        raise MalformedBytes("the data of a file is a number")
    part = FilePart(data=data, child_sizes_bytes=tuple(sizes))
    declared = _whole(singles.get(_FILE_SIZE, part.size_bytes), "the file size")
    if declared != part.size_bytes:
        raise MalformedBytes(f"a file of {declared} bytes has parts of {part.size_bytes}")
    return part


def encode_file_part(part: FilePart) -> bytes:
    """Write the data of a node as Kubo does; empty data is left out."""
    return b"".join(
        [
            field(_TYPE, EntryType.FILE),
            field(_DATA, part.data) if part.data else b"",
            field(_FILE_SIZE, part.size_bytes),
            *(field(_BLOCK_SIZES, size) for size in part.child_sizes_bytes),
        ]
    )


def _require_file(value: int | bytes | None) -> None:
    if value not in set(EntryType):
        raise MalformedBytes("the node does not say what it stands for")
    kind = EntryType(value)
    if kind not in {EntryType.RAW, EntryType.FILE}:
        raise NotAFile(f"it is a {kind.name.lower().replace('_', ' ')}, not a file")


def _whole(value: int | bytes, what: str) -> int:
    if isinstance(value, bytes):
        raise MalformedBytes(f"{what} is not a number")
    return value
