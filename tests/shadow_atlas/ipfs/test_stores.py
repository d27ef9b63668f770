"""Where snapshots are kept: whole, within limits, and never damaged without being noticed."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.content_addressing import Cid, Codec
from shadow_atlas.ipfs.stores import FolderStore, MemoryStore, SnapshotStore

ONE, TWO, THREE = (Cid.of(bytes([number]), Codec.RAW) for number in range(3))


@pytest.fixture(params=["memory", "folder"])
def store(request, tmp_path) -> SnapshotStore:
    if request.param == "memory":
        return MemoryStore(limit_bytes=1000)
    return FolderStore(tmp_path / "snapshots")


def test_what_was_put_is_got_and_nothing_else(store):
    async def work():
        await store.put(ONE, b"one")
        await store.put(TWO, b"")
        await store.put(ONE, b"one again")
        return [await store.get(cid) for cid in (ONE, TWO, THREE)]

    assert asyncio.run(work()) == [b"one again", b"", None]


def test_memory_lets_go_of_what_was_used_longest_ago():
    async def work():
        store = MemoryStore(limit_bytes=10)
        await store.put(ONE, b"11111")
        await store.put(TWO, b"22222")
        await store.get(ONE)
        await store.put(THREE, b"33333")
        return [await store.get(cid) for cid in (ONE, TWO, THREE)]

    assert asyncio.run(work()) == [b"11111", None, b"33333"]


def test_memory_refuses_what_it_can_never_hold():
    with pytest.raises(OSError, match="11 bytes are more than the 10"):
        asyncio.run(MemoryStore(limit_bytes=10).put(ONE, bytes(11)))


@given(st.lists(st.tuples(st.integers(min_value=0, max_value=9), st.binary(max_size=9))))
def test_memory_never_holds_more_than_its_limit(puts):
    async def work():
        store = MemoryStore(limit_bytes=20)
        names = [Cid.of(bytes([number]), Codec.RAW) for number in range(10)]
        for number, content in puts:
            await store.put(names[number], content)
            assert await store.get(names[number]) == content
        return [await store.get(name) for name in names]

    kept = asyncio.run(work())

    assert sum(len(content) for content in kept if content is not None) <= 20


def only_file(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


def test_a_folder_survives_the_process_and_holds_whole_files_only(tmp_path):
    asyncio.run(FolderStore(tmp_path).put(ONE, b"content"))

    assert asyncio.run(FolderStore(tmp_path).get(ONE)) == b"content"
    assert only_file(tmp_path).name == f"{ONE}.snapshot"


@pytest.mark.parametrize("at", [0, 31, 32, 38])
def test_a_damaged_file_is_as_good_as_none(tmp_path, at):
    asyncio.run(FolderStore(tmp_path).put(ONE, b"content"))
    path = only_file(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[at] ^= 1
    path.write_bytes(damaged)

    assert asyncio.run(FolderStore(tmp_path).get(ONE)) is None


@pytest.mark.parametrize("size", [0, 10, 35])
def test_a_file_that_was_cut_off_is_as_good_as_none(tmp_path, size):
    asyncio.run(FolderStore(tmp_path).put(ONE, b"content"))
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:size])

    assert asyncio.run(FolderStore(tmp_path).get(ONE)) is None


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    place = tmp_path / f"{ONE}.snapshot"
    place.mkdir()  # a file cannot be put where a folder is

    with pytest.raises(OSError, match="snapshot"):
        asyncio.run(FolderStore(tmp_path).put(ONE, b"content"))

    assert only_file(tmp_path) == place
