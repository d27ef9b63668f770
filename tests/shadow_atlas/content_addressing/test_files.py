"""Files: cut as Kubo cuts them, put together from blocks of strangers, within limits."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.content_addressing import (
    BlockMismatch,
    BuiltFile,
    Cid,
    Codec,
    FileLimits,
    FileRefused,
    FileWalk,
    Layout,
    build_file,
)
from shadow_atlas.content_addressing.dag_pb import Link, Node, encode_node
from shadow_atlas.content_addressing.unixfs import FilePart, encode_file_part
from tests.shadow_atlas.content_addressing.vectors import FILES, pattern

layouts = st.builds(
    Layout,
    chunk_bytes=st.integers(min_value=1, max_value=9),
    links_max=st.integers(min_value=2, max_value=4),
    has_raw_leaves=st.booleans(),
)
LEAF = b"leaf"
LEAF_CID = Cid.of(LEAF, Codec.RAW)


def walked(file: BuiltFile, **limits: int) -> FileWalk:
    """Feed a walk with every block of a file."""
    walk = FileWalk(file.root, limits=FileLimits(**limits))
    for cid, block in file.blocks:
        assert walk.wanted == cid
        walk.add(block)
    return walk


@pytest.mark.parametrize(("size", "version_1", "version_0"), FILES, ids=[str(r[0]) for r in FILES])
def test_a_file_gets_the_name_that_kubo_gives_it(size, version_1, version_0):
    content = pattern(size)

    assert str(build_file(content, Layout()).root) == version_1
    assert build_file(content, Layout(has_raw_leaves=False)).root.version_0() == version_0


@given(st.binary(max_size=80), layouts)
def test_a_file_comes_out_as_it_went_in(content, layout):
    walk = walked(build_file(content, layout))

    assert walk.wanted is None
    assert walk.content() == content


@given(st.binary(max_size=60), layouts, st.data())
def test_no_flipped_bit_of_any_block_is_taken(content, layout, data):
    file = build_file(content, layout)
    number = data.draw(st.integers(min_value=0, max_value=len(file.blocks) - 1))
    walk = FileWalk(file.root, limits=FileLimits())
    for _, block in file.blocks[:number]:
        walk.add(block)
    cid, right = file.blocks[number]
    bit = data.draw(st.integers(min_value=0, max_value=max(0, 8 * len(right) - 1)))
    wrong = bytearray(right or b"\0")
    wrong[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BlockMismatch):
        walk.add(bytes(wrong))

    assert walk.wanted == cid  # nothing of it was taken, so another sender can go on here
    for _, block in file.blocks[number:]:
        walk.add(block)
    assert walk.content() == content


@pytest.mark.parametrize("change", [b"", b"x", b"two\n"])
def test_a_block_that_is_longer_or_shorter_is_not_taken(change):
    file = build_file(b"content", Layout())

    with pytest.raises(BlockMismatch, match="do not hash to"):
        FileWalk(file.root, limits=FileLimits()).add(b"content"[:4] + change)


def test_content_is_not_given_before_it_is_complete():
    file = build_file(pattern(30), Layout(chunk_bytes=10))
    walk = FileWalk(file.root, limits=FileLimits())
    walk.add(file.blocks[0][1])

    with pytest.raises(ValueError, match="3 blocks are still wanted"):
        walk.content()


def test_a_complete_file_takes_no_more():
    with pytest.raises(BlockMismatch, match="complete"):
        walked(build_file(b"", Layout())).add(b"")


def node(links: tuple[tuple[bytes, int], ...], *, data: bytes | None = None) -> bytes:
    """Build a node of a file with these targets and sizes."""
    part = FilePart(data=data or b"", child_sizes_bytes=tuple(size for _, size in links))
    targets = tuple(Link(target=target, name="") for target, _ in links)
    return encode_node(Node(links=targets, data=encode_file_part(part)))


def refusal(block: bytes, *more: bytes, **limits: int) -> str:
    """Return why the file whose root is `block` is refused."""
    *good, last = (block, *more)
    walk = FileWalk(Cid.of(block, Codec.DAG_PB), limits=FileLimits(**limits))
    for each in good:
        walk.add(each)
    with pytest.raises(FileRefused) as refused:
        walk.add(last)
    return str(refused.value)


def test_data_of_a_node_stands_before_that_of_its_children():
    root = node(((LEAF_CID.to_bytes(), 4),), data=b"root ")
    walk = FileWalk(Cid.of(root, Codec.DAG_PB), limits=FileLimits())
    walk.add(root)
    walk.add(LEAF)

    assert walk.content() == b"root leaf"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"\xff", "block 0: "),
        (encode_node(Node(data=bytes.fromhex("0801"))), "it is a directory, not a file"),
        (encode_node(Node(data=bytes.fromhex("0804"))), "it is a symlink, not a file"),
        (b"", "does not say what it stands for"),
        (node(((b"\x01\x71\x12\x20" + bytes(32), 4),)), "codec 0x71 is not known"),
        (node(((b"\x01\x55\x00\x01x", 1),)), "hash 0x0 of 1 bytes"),
        (
            encode_node(Node(links=(Link(target=b"x"),), data=encode_file_part(FilePart()))),
            "not as many sizes as links",
        ),
    ],
)
def test_content_that_is_no_file_is_refused_whoever_sends_it(block, reason):
    assert reason in refusal(block)


@pytest.mark.parametrize("promised", [3, 5])
def test_a_child_of_another_size_than_promised_is_refused(promised):
    reason = refusal(node(((LEAF_CID.to_bytes(), promised),)), LEAF)

    assert f"4 bytes of file where its parent promises {promised}" in reason


def test_a_large_file_is_refused_after_its_root():
    assert "101 bytes are more than the 100" in refusal(
        node(((LEAF_CID.to_bytes(), 101),)), file_bytes=100
    )


def test_a_large_raw_block_is_refused():
    walk = FileWalk(Cid.of(bytes(11), Codec.RAW), limits=FileLimits(file_bytes=10))

    with pytest.raises(FileRefused, match="11 bytes are more"):
        walk.add(bytes(11))


def test_more_blocks_than_allowed_are_refused_before_they_are_fetched():
    many = node(((LEAF_CID.to_bytes(), 4),) * 5)

    assert refusal(many, blocks=5) == "more than 5 blocks"
    assert walked(build_file(pattern(50), Layout(chunk_bytes=10)), blocks=6).block_count == 6


def test_more_levels_than_allowed_are_refused():
    blocks = [node(((LEAF_CID.to_bytes(), 4),))]
    for _ in range(3):
        blocks.insert(0, node(((Cid.of(blocks[0], Codec.DAG_PB).to_bytes(), 4),)))

    assert refusal(*blocks, depth=3) == "more than 3 levels of blocks"


def test_empty_children_cannot_make_a_walk_endless():
    empty = encode_node(Node(data=encode_file_part(FilePart())))
    wide: Any = node(((Cid.of(empty, Codec.DAG_PB).to_bytes(), 0),) * 4000)
    wider = node(((Cid.of(wide, Codec.DAG_PB).to_bytes(), 0),) * 4000)

    assert refusal(wider, wide) == "more than 4096 blocks"


@pytest.mark.parametrize("name", ["block_bytes", "file_bytes", "depth", "blocks"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}=0 must be at least 1"):
        FileLimits(**{name: 0})


@pytest.mark.parametrize(("name", "value"), [("chunk_bytes", 0), ("links_max", 1)])
def test_a_layout_that_never_ends_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        Layout(**{name: value})
