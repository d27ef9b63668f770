"""Name content by its hash: content identifiers (CIDs) of raw blocks and dag-pb nodes.

Source: https://github.com/multiformats/cid. Only sha2-256 is known: a hash that is not computed
here verifies nothing.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from shadow_atlas.content_addressing.multibase import (
    decode_base32,
    decode_base58,
    encode_base32,
    encode_base58,
)
from shadow_atlas.content_addressing.varint import MalformedBytes, read_varint, write_varint

TEXT_LENGTH_MAX: Final = 128  # the longest accepted form has 59 characters; bounds quadratic work
DIGEST_BYTES: Final = 32
_SHA2_256: Final = 0x12
_MULTIHASH_HEAD: Final = bytes([_SHA2_256, DIGEST_BYTES])
_V0_TEXT_LENGTH: Final = 46
_V1: Final = 1


class Codec(IntEnum):
    """What a block holds: https://github.com/multiformats/multicodec."""

    RAW = 0x55  # bytes as they are
    DAG_PB = 0x70  # a node with links


class CidRejected(ValueError):
    """Says why a text or some bytes name no content that can be fetched and verified here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cid:
    """The name of one block.

    Version 0 and the bases of version 1 are spellings of the same value: two CIDs are equal if
    they name the same block.

    Args:
        codec: What the block holds.
        digest: Its sha2-256 digest, 32 bytes.

    Raises:
        ValueError: If the digest has another length.
    """

    codec: Codec
    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_BYTES:
            raise ValueError(f"digest of {len(self.digest)} bytes must have {DIGEST_BYTES}")

    @classmethod
    def of(cls, block: bytes, codec: Codec) -> Self:
        """Return the name of `block`."""
        return cls(codec=codec, digest=hashlib.sha256(block).digest())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a CID of version 0, or one of version 1 in base32 or base58btc.

        Raises:
            CidRejected: If the text is no CID, or one of a codec or hash that is not known here.

        >>> Cid.parse("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH").codec.name
        'DAG_PB'
        """
        if not text or len(text) > TEXT_LENGTH_MAX:
            raise CidRejected(f"expected a CID of 1 to {TEXT_LENGTH_MAX} characters")
        try:
            return cls._parse(text)
        except MalformedBytes as error:
            raise CidRejected(f"not a CID: {error}") from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the binary form, which links have.

        Raises:
            CidRejected: As for `parse`.
        """
        if data[:2] == _MULTIHASH_HEAD and len(data) == 2 + DIGEST_BYTES:
            return cls(codec=Codec.DAG_PB, digest=data[2:])
        try:
            return cls._from_version_1(data)
        except MalformedBytes as error:
            raise CidRejected(f"not a CID: {error}") from error

    def names(self, block: bytes) -> bool:
        """Say whether this is the name of `block`: whether the block is what was asked for."""
        return hashlib.sha256(block).digest() == self.digest

    def to_bytes(self, *, version: int = _V1) -> bytes:
        """Return the binary form.

        Raises:
            ValueError: If version 0 is asked for a block that is no dag-pb node.
        """
        multihash = _MULTIHASH_HEAD + self.digest
        if version == _V1:
            return write_varint(_V1) + write_varint(self.codec) + multihash
        if self.codec is not Codec.DAG_PB:
            raise ValueError("version 0 names dag-pb nodes only")
        return multihash

    def version_0(self) -> str:
        """Return the spelling of version 0 (`Qm...`); ValueError unless it is a dag-pb node."""
        return encode_base58(self.to_bytes(version=0))

    def base58(self) -> str:
        """Return the spelling of version 1 in base58btc (`z...`)."""
        return f"z{encode_base58(self.to_bytes())}"

    def __str__(self) -> str:
        """Return the spelling that is usual today: version 1 in base32 (`b...`)."""
        return f"b{encode_base32(self.to_bytes())}"

    @classmethod
    def _parse(cls, text: str) -> Self:
        if len(text) == _V0_TEXT_LENGTH and text.startswith("Qm"):
            return cls.from_bytes(decode_base58(text))
        if text.startswith("b"):
            return cls._from_version_1(decode_base32(text[1:]))
        if text.startswith("z"):
            return cls._from_version_1(decode_base58(text[1:]))
        raise CidRejected("expected a CID such as 'Qm...', 'b...' (base32) or 'z...' (base58btc)")

    @classmethod
    def _from_version_1(cls, data: bytes) -> Self:
        version, offset = read_varint(data, 0)
        if version != _V1:
            raise CidRejected(f"version {version} is not known; expected 1")
        codec, offset = read_varint(data, offset)
        hash_code, offset = read_varint(data, offset)
        size, offset = read_varint(data, offset)
        if hash_code != _SHA2_256 or size != DIGEST_BYTES:
            raise CidRejected(f"hash {hash_code:#x} of {size} bytes is not known; use sha2-256")
        if codec not in set(Codec):
            raise CidRejected(f"codec {codec:#x} is not known; expected raw or dag-pb")
        if len(data) != offset + DIGEST_BYTES:
            raise CidRejected(f"the digest has {len(data) - offset} bytes, not {DIGEST_BYTES}")
        return cls(codec=Codec(codec), digest=data[offset:])
