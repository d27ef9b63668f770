"""Read and write the two field types of Protocol Buffers that IPFS uses.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from typing import Final

from shadow_atlas.content_addressing.varint import MalformedBytes, read_varint, write_varint

_VARINT: Final = 0
_BYTES: Final = 2

Field = tuple[int, int | bytes]


def fields(message: bytes) -> Iterator[Field]:
    """Yield number and value of each field in order: an `int` of a varint, or `bytes`.

    Raises:
        MalformedBytes: If the message is cut off, or has a field of another wire type.
    """
    offset = 0
    while offset < len(message):
        tag, offset = read_varint(message, offset)
        number, wire_type = tag >> 3, tag & 0b111
        value, offset = read_varint(message, offset)
        if wire_type == _VARINT:
            yield number, value
        elif wire_type == _BYTES:
            if value > len(message) - offset:
                raise MalformedBytes(f"field {number} ends beyond its message")
            yield number, message[offset : offset + value]
            offset += value
        else:
            raise MalformedBytes(f"field {number} has wire type {wire_type}")


def field(number: int, value: int | bytes) -> bytes:
    """Encode one field.

    >>> field(1, b"abc").hex(), field(3, 300).hex()
    ('0a03616263', '18ac02')
    """
    if isinstance(value, int):
        return write_varint(number << 3 | _VARINT) + write_varint(value)
    return write_varint(number << 3 | _BYTES) + write_varint(len(value)) + value
