"""Nodes and what they say about files: the published forms, and everything malformed."""

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.content_addressing import Cid, Codec
from shadow_atlas.content_addressing.dag_pb import Link, Node, decode_node, encode_node
from shadow_atlas.content_addressing.unixfs import (
    FilePart,
    NotAFile,
    decode_file_part,
    encode_file_part,
)
from shadow_atlas.content_addressing.varint import MalformedBytes
from tests.shadow_atlas.content_addressing.vectors import NODES

counts = st.integers(min_value=0, max_value=2**40)
links = st.builds(
    Link,
    target=st.binary(max_size=40),
    name=st.none() | st.text(max_size=5),
    tree_bytes=st.none() | counts,
)
nodes = st.builds(
    Node, links=st.lists(links, max_size=4).map(tuple), data=st.none() | st.binary(max_size=20)
)


@pytest.mark.parametrize(("encoded", "name"), [row[1:] for row in NODES], ids=[r[0] for r in NODES])
def test_a_published_node_is_read_written_and_named_alike(encoded, name):
    block = bytes.fromhex(encoded)

    assert encode_node(decode_node(block)) == block
    assert str(Cid.of(block, Codec.DAG_PB)) == name


@given(nodes)
def test_a_node_is_read_as_it_was_written(node):
    assert decode_node(encode_node(node)) == node


@given(st.binary(max_size=60))
def test_any_bytes_are_a_node_or_malformed(block):
    try:
        decode_node(block)
    except MalformedBytes:
        return

    assert decode_node(encode_node(decode_node(block))) == decode_node(block)


@pytest.mark.parametrize(
    ("encoded", "problem"),
    [
        ("0a", "cut off"),
        ("0a05", "ends beyond"),
        ("0a000a00", "data twice"),
        ("1803", "no field 3"),
        ("0801", "no field 1 of this type"),
        ("0d00000000", "wire type 5"),
        ("1200", "no target"),
        ("12020a000a0012020a00", "data stands between links"),
        ("12040a000a00", "out of order, or one is repeated"),
        ("120412000a00", "out of order, or one is repeated"),
        ("12040a002200", "no field 4"),
        ("12050a001a0100", "no field 3 of this type"),
        ("12050a001201ff", "not UTF-8"),
    ],
)
def test_a_malformed_node_is_refused_with_its_reason(encoded, problem):
    with pytest.raises(MalformedBytes, match=problem):
        decode_node(bytes.fromhex(encoded))


def test_data_may_stand_before_the_links():
    assert decode_node(bytes.fromhex("0a0012020a00")).data == b""


@given(st.binary(max_size=30), st.lists(counts, max_size=5).map(tuple))
def test_a_part_of_a_file_is_read_as_it_was_written(data, sizes):
    part = FilePart(data=data, child_sizes_bytes=sizes)

    assert decode_file_part(encode_file_part(part)) == part


# The data of `dagpb_7unnamedlinks+data`, a file of seven blocks: https://ipld.io/specs/codecs/dag-pb
def test_a_published_file_of_seven_parts_is_read():
    encoded = (
        "080218cbc1819201208080e015208080e015208080e015208080e015208080e015208080e01520cbc1c10f"
    )

    part = decode_file_part(bytes.fromhex(encoded))

    assert part.child_sizes_bytes == (45_613_056,) * 6 + (32_530_635,)
    assert part.size_bytes == 306_208_971
    assert encode_file_part(part).hex() == encoded


def test_the_published_empty_file_is_read():
    assert decode_file_part(bytes.fromhex("08021800")) == FilePart()


@pytest.mark.parametrize(
    ("encoded", "kind"),
    [
        ("0801", "directory"),
        ("0803", "metadata"),
        ("0804", "symlink"),
        ("0805", "sharded directory"),
    ],
)
def test_what_is_no_file_is_named(encoded, kind):
    with pytest.raises(NotAFile, match=kind):
        decode_file_part(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    ("encoded", "problem"),
    [
        ("", "does not say what it stands for"),
        ("0809", "does not say what it stands for"),
        ("0a0102", "does not say what it stands for"),
        ("08021001", "data of a file is a number"),
        ("08021801", "a file of 1 bytes has parts of 0"),
        ("08021a0101", "file size is not a number"),
        ("0802220101", "block size is not a number"),
    ],
)
def test_a_malformed_part_is_refused_with_its_reason(encoded, problem):
    with pytest.raises(MalformedBytes, match=problem):
        decode_file_part(bytes.fromhex(encoded))


def test_mode_time_and_unknown_fields_are_passed_over():
    with_mode = bytes.fromhex("0802120161180138a403420208017a00")

    assert decode_file_part(with_mode) == FilePart(data=b"a")
