"""Name content by its hash and put files together from verified blocks, as IPFS does.

Standard library only: no kept library covers CIDs, dag-pb and UnixFS without a chain of further
dependencies, and what is needed of the three is small.
"""

from shadow_atlas.content_addressing.cid import Cid, CidRejected, Codec
from shadow_atlas.content_addressing.file_building import BuiltFile, Layout, build_file
from shadow_atlas.content_addressing.file_walk import (
    BlockMismatch,
    FileLimits,
    FileRefused,
    FileWalk,
)

__all__ = [
    "BlockMismatch",
    "BuiltFile",
    "Cid",
    "CidRejected",
    "Codec",
    "FileLimits",
    "FileRefused",
    "FileWalk",
    "Layout",
    "build_file",
]
