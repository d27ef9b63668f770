"""Read and write unsigned varints, as multiformats and Protocol Buffers encode them.

Source: https://github.com/multiformats/unsigned-varint
"""

from typing import Final

LENGTH_MAX: Final = 9  # bytes: 63 bits, the bound of the multiformats specification
_MORE: Final = 0x80
_SEVEN_BITS: Final = 0x7F


class MalformedBytes(ValueError):
    """The bytes are not what they claim to be; says where the reading stopped making sense."""


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """Return the number at `offset` and where the next byte after it stands.

    Raises:
        MalformedBytes: If it is cut off, longer than 9 bytes, or not the shortest form. One
            number has one form, or one identifier would have many.

    >>> read_varint(bytes([0xAC, 0x02, 0xFF]), 0)
    (300, 2)
    """
    number = 0
    for length in range(LENGTH_MAX):
        position = offset + length
        if position >= len(data):
            raise MalformedBytes(f"varint at byte {offset} is cut off")
        byte = data[position]
        number |= (byte & _SEVEN_BITS) << (7 * length)
        if not byte & _MORE:
            if byte == 0 and length:
                raise MalformedBytes(f"varint at byte {offset} is not the shortest form")
            return number, position + 1
    raise MalformedBytes(f"varint at byte {offset} is longer than {LENGTH_MAX} bytes")


def write_varint(number: int) -> bytes:
    """Encode a number from 0 to 2^63 - 1.

    Raises:
        ValueError: If it is outside of that range.

    >>> write_varint(300).hex()
    'ac02'
    """
    if not 0 <= number < 1 << (7 * LENGTH_MAX):
        raise ValueError(f"number={number!r} must be in [0, 2^63)")
    encoded = bytearray()
    while number > _SEVEN_BITS:
        encoded.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
