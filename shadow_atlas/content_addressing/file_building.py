"""Cut a file into blocks as Kubo does, and name them: the inverse of `file_walk`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from shadow_atlas.content_addressing.cid import Cid, Codec
from shadow_atlas.content_addressing.dag_pb import Link, Node, encode_node
from shadow_atlas.content_addressing.unixfs import FilePart, encode_file_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is cut.

    Args:
        chunk_bytes: Bytes of file in one leaf; Kubo's default.
        links_max: Children of one node; Kubo's default.
        has_raw_leaves: Whether leaves are the bare bytes (Kubo's way with `--cid-version=1`) or
            nodes (its way with version 0). It also decides how links are spelt.

    Raises:
        ValueError: If a chunk is empty, or a node cannot branch.
    """

    chunk_bytes: int = 256 * 1024
    links_max: int = 174
    has_raw_leaves: bool = True

    def __post_init__(self) -> None:
        if self.chunk_bytes < 1:
            raise ValueError(f"chunk_bytes={self.chunk_bytes!r} must be at least 1")
        if self.links_max < 2:  # noqa: PLR2004 - a chain of single children never ends
            raise ValueError(f"links_max={self.links_max!r} must be at least 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFile:
    """A file as blocks.

    Args:
        root: Its name.
        blocks: Every block with its name, in the order in which a reader asks for them. A block
            that occurs twice in the file stands here twice.
    """

    root: Cid
    blocks: tuple[tuple[Cid, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    cid: Cid
    block: bytes
    size_bytes: int
    children: tuple["_Tree", ...] = ()

    @property
    def tree_bytes(self) -> int:
        return len(self.block) + sum(child.tree_bytes for child in self.children)

    def walk(self) -> Iterator[tuple[Cid, bytes]]:
        yield self.cid, self.block
        for child in self.children:
            yield from child.walk()


def build_file(content: bytes, layout: Layout) -> BuiltFile:
    """Cut `content` into a balanced tree of blocks.

    >>> str(build_file(b"hello world", Layout()).root)
    'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
    """
    leaf = _raw_leaf if layout.has_raw_leaves else _node_leaf
    trees = [leaf(chunk) for chunk in _chunks(content, layout.chunk_bytes)]
    version = 1 if layout.has_raw_leaves else 0
    while len(trees) > 1:
        trees = _grouped(trees, layout.links_max, lambda group: _parent(group, version=version))
    return BuiltFile(root=trees[0].cid, blocks=tuple(trees[0].walk()))


def _chunks(content: bytes, size: int) -> list[bytes]:
    """Cut into pieces; an empty file is one empty piece."""
    return [content[start : start + size] for start in range(0, max(1, len(content)), size)]


def _grouped(
    trees: Sequence[_Tree], size: int, join: Callable[[tuple[_Tree, ...]], _Tree]
) -> list[_Tree]:
    rest = iter(trees)
    groups = []
    while group := tuple(islice(rest, size)):
        groups.append(join(group))
    return groups


def _raw_leaf(chunk: bytes) -> _Tree:
    return _Tree(cid=Cid.of(chunk, Codec.RAW), block=chunk, size_bytes=len(chunk))


def _node_leaf(chunk: bytes) -> _Tree:
    block = encode_node(Node(data=encode_file_part(FilePart(data=chunk))))
    return _Tree(cid=Cid.of(block, Codec.DAG_PB), block=block, size_bytes=len(chunk))


def _parent(children: tuple[_Tree, ...], *, version: int) -> _Tree:
    part = FilePart(child_sizes_bytes=tuple(child.size_bytes for child in children))
    links = tuple(
        Link(target=child.cid.to_bytes(version=version), name="", tree_bytes=child.tree_bytes)
        for child in children
    )
    block = encode_node(Node(links=links, data=encode_file_part(part)))
    return _Tree(
        cid=Cid.of(block, Codec.DAG_PB),
        block=block,
        size_bytes=part.size_bytes,
        children=children,
    )
