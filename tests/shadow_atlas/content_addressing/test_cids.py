"""Names of content: the published forms, and everything that is none."""

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.content_addressing import Cid, CidRejected, Codec
from shadow_atlas.content_addressing.multibase import (
    BASE32,
    BASE58,
    decode_base32,
    decode_base58,
    encode_base32,
    encode_base58,
)
from shadow_atlas.content_addressing.varint import MalformedBytes, read_varint, write_varint

cids = st.builds(Cid, codec=st.sampled_from(Codec), digest=st.binary(min_size=32, max_size=32))


@given(st.integers(min_value=0, max_value=2**63 - 1), st.binary(max_size=3))
def test_a_number_is_read_as_it_was_written(number, rest):
    encoded = write_varint(number)

    assert read_varint(encoded + rest, 0) == (number, len(encoded))


# https://github.com/multiformats/unsigned-varint
@pytest.mark.parametrize(
    ("number", "encoded"),
    [(1, "01"), (127, "7f"), (128, "8001"), (255, "ff01"), (300, "ac02"), (16384, "808001")],
)
def test_a_number_has_its_published_form(number, encoded):
    assert write_varint(number).hex() == encoded


@pytest.mark.parametrize("encoded", ["", "80", "8000", "ffffffffffffffffff01", "81808000"])
def test_a_number_that_is_cut_off_too_long_or_padded_is_refused(encoded):
    with pytest.raises(MalformedBytes):
        read_varint(bytes.fromhex(encoded), 0)


@pytest.mark.parametrize("number", [-1, 2**63])
def test_a_number_out_of_range_is_not_written(number):
    with pytest.raises(ValueError, match=str(number)):
        write_varint(number)


@given(st.binary(max_size=40))
def test_bytes_survive_both_bases(data):
    assert decode_base58(encode_base58(data)) == data
    assert decode_base32(encode_base32(data)) == data


@given(st.text(alphabet=BASE32, max_size=20))
def test_no_bytes_have_two_spellings_in_base32(text):
    try:
        data = decode_base32(text)
    except MalformedBytes:
        return

    assert encode_base32(data) == text


@given(st.text(alphabet=BASE58, max_size=20))
def test_no_bytes_have_two_spellings_in_base58(text):
    assert encode_base58(decode_base58(text)) == text


# https://github.com/multiformats/multibase/tree/master/tests
@pytest.mark.parametrize(
    ("data", "base58", "base32"),
    [
        (b"yes mani !", "7paNL19xttacUY", "pfsxgidnmfxgsibb"),
        (b"\x00yes mani !", "17paNL19xttacUY", "ab4wk4zanvqw42jaee"),
        (b"\x00\x00yes mani !", "117paNL19xttacUY", "aaahszltebwwc3tjeaqq"),
    ],
)
def test_the_published_spellings(data, base58, base32):
    assert (encode_base58(data), encode_base32(data)) == (base58, base32)


@given(cids)
def test_every_spelling_names_the_same_content(cid):
    spellings = [str(cid), cid.base58()]
    if cid.codec is Codec.DAG_PB:
        spellings.append(cid.version_0())

    assert {Cid.parse(spelling) for spelling in spellings} == {cid}


@given(cids)
def test_the_binary_forms_are_read_back(cid):
    assert Cid.from_bytes(cid.to_bytes()) == cid
    if cid.codec is Codec.DAG_PB:
        assert Cid.from_bytes(cid.to_bytes(version=0)) == cid


def test_the_example_of_the_specification_is_read():
    cid = Cid.parse("zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA")

    assert cid.codec is Codec.RAW
    assert cid.digest.hex() == "6e6ff7950a36187a801613426e858dce686cd7d7e3c0fc42ee0330072d245c95"


def test_both_published_names_of_the_empty_node_are_equal():
    assert Cid.parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n") == Cid.parse(
        "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1 to 128 characters"),
        ("b" * 129, "1 to 128 characters"),
        ("Qm", "expected a CID such as"),
        ("../../etc/passwd", "expected a CID such as"),
        ("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR10", "none of the alphabet"),
        ("BAFYBEIHDWDCEFGH4DQKJV67UZCMW7OJEE6XEDZDETOJUZJEVTENXQUVYKU", "expected a CID such as"),
        ("bafybei", "not a CID"),
        ("b", "cut off"),
        ("bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykv", "belong to no byte"),
        (
            "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykuaa",
            "the digest has 33 bytes",
        ),
        # dag-cbor, from the same fixtures
        ("bafyreihjsq5okmwdasf4hoiauwxv3vxjuwh2kuh4k5pgzzi3hanepxusjm", "codec 0x71"),
        (f"b{encode_base32(bytes([1, 0x55, 0, 1, 7]))}", "hash 0x0 of 1 bytes"),
        (f"b{encode_base32(bytes([1, 0x55, 0x13, 64, *range(64)]))}", "hash 0x13 of 64 bytes"),
        (f"b{encode_base32(bytes([1, 0x55, 0x12, 20, *range(20)]))}", "hash 0x12 of 20 bytes"),
        (f"b{encode_base32(bytes([1, 0x55, 0x12, 32, *range(31)]))}", "the digest has 31 bytes"),
        (f"b{encode_base32(bytes([1, 0x55, 0x12, 32, *range(33)]))}", "the digest has 33 bytes"),
        (f"b{encode_base32(bytes([2, 0x55, 0x12, 32, *range(32)]))}", "version 2"),
        (f"b{encode_base32(bytes([0x12, 32, *range(32)]))}", "version 18"),
        (f"b{encode_base32(bytes([1, 0xD5, 0, 0x12, 32, *range(32)]))}", "shortest form"),
    ],
)
def test_what_names_nothing_that_can_be_fetched_is_refused_with_its_reason(text, problem):
    with pytest.raises(CidRejected, match=problem):
        Cid.parse(text)


@given(st.text(max_size=140))
def test_any_text_is_a_cid_or_refused(text):
    try:
        cid = Cid.parse(text)
    except CidRejected:
        return

    assert text in {str(cid), cid.base58(), cid.version_0() if cid.codec is Codec.DAG_PB else ""}


@given(st.binary(max_size=48))
def test_any_bytes_are_a_cid_or_refused(data):
    try:
        cid = Cid.from_bytes(data)
    except CidRejected:
        return

    assert data in {cid.to_bytes(), cid.to_bytes(version=0) if data[0] == 0x12 else b""}


def test_a_raw_block_has_no_name_of_version_0():
    with pytest.raises(ValueError, match="dag-pb nodes only"):
        Cid.of(b"block", Codec.RAW).version_0()


def test_a_digest_of_another_length_is_no_name():
    with pytest.raises(ValueError, match="31 bytes"):
        Cid(codec=Codec.RAW, digest=bytes(31))
