"""Keep snapshots: in a folder that survives the process, or in memory within a limit."""

import asyncio
import hashlib
import os
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Final, Protocol

from shadow_atlas.content_addressing import Cid

_DIGEST_BYTES: Final = 32


class SnapshotStore(Protocol):
    """Keeps content by name; what it returns is what was put there, or nothing."""

    async def put(self, cid: Cid, content: bytes) -> None:
        """Keep `content`.

        Raises:
            OSError: If it cannot be kept.
        """
        ...

    async def get(self, cid: Cid) -> bytes | None:
        """Return the content; None if it is not (or no longer) kept.

        Raises:
            OSError: If it cannot be read.
        """
        ...


class MemoryStore:
    """Keep the newest snapshots, up to a number of bytes.

    Args:
        limit_bytes: Most bytes of content that are kept; what was used longest ago goes first.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[Cid, bytes] = OrderedDict()
        self._size_bytes = 0

    async def put(self, cid: Cid, content: bytes) -> None:
        """Keep `content`; it may push out others.

        Raises:
            OSError: If it alone is larger than the limit.
        """
        if len(content) > self._limit_bytes:
            raise OSError(f"{len(content)} bytes are more than the {self._limit_bytes} kept")
        self._size_bytes += len(content) - len(self._kept.pop(cid, b""))
        self._kept[cid] = content
        while self._size_bytes > self._limit_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._size_bytes -= len(dropped)

    async def get(self, cid: Cid) -> bytes | None:
        """Return the content, and count it as used."""
        if cid in self._kept:
            self._kept.move_to_end(cid)
        return self._kept.get(cid)


class FolderStore:
    """Keep each snapshot as one file, whole or not at all.

    A file begins with the digest of its content, so that a damaged one is told from a good one
    without its blocks. It is written beside its place, flushed to the disk and then put there in
    one step; a process that dies meanwhile leaves a `.part` file, which nobody reads.

    Args:
        folder: Where the files are; made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, cid: Cid, content: bytes) -> None:
        """Write a file; returns when it is on the disk."""
        await asyncio.to_thread(self._write, cid, content)

    async def get(self, cid: Cid) -> bytes | None:
        """Read a file; a damaged one is as good as none, and can be synced again."""
        return await asyncio.to_thread(self._read, cid)

    def _path(self, cid: Cid) -> Path:
        return self._folder / f"{cid}.snapshot"  # base32 of fixed length: no path can hide in it

    def _write(self, cid: Cid, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=f"{cid}.", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(content).digest())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path(cid))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _flush_folder(self._folder)

    def _read(self, cid: Cid) -> bytes | None:
        try:
            stored = self._path(cid).read_bytes()
        except FileNotFoundError:
            return None
        digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        return content if hashlib.sha256(content).digest() == digest else None


def _flush_folder(folder: Path) -> None:
    """Make a renaming durable: a file's name is part of its folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
