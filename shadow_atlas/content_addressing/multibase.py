"""Read and write the two text encodings of CIDs: base58btc and base32.

Source: https://github.com/multiformats/multibase and RFC 4648, section 6. Other bases exist; these
two are what identifiers are exchanged in.
"""

from typing import Final

from shadow_atlas.content_addressing.varint import MalformedBytes

BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_BASE58_VALUES: Final = {character: value for value, character in enumerate(BASE58)}
_BASE32_VALUES: Final = {character: value for value, character in enumerate(BASE32)}


def decode_base58(text: str) -> bytes:
    """Decode base58btc; each leading `1` is a zero byte. Takes quadratic time: bound the text.

    Raises:
        MalformedBytes: If a character is none of the alphabet.

    >>> decode_base58("2NEpo7TZRRrLZSi2U")
    b'Hello World!'
    """
    number = 0
    for character in text:
        number = number * 58 + _value(character, _BASE58_VALUES)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def encode_base58(data: bytes) -> str:
    """Encode as base58btc, the inverse of `decode_base58`."""
    number = int.from_bytes(data)
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(BASE58[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def decode_base32(text: str) -> bytes:
    """Decode lower-case base32 without padding.

    Raises:
        MalformedBytes: If a character is none of the alphabet, or the text is not the one form
            of its bytes: its length fits no number of bytes, or bits are left over that are
            not zero.

    >>> decode_base32("mzxw6ytboi")
    b'foobar'
    """
    number = 0
    for character in text:
        number = number * 32 + _value(character, _BASE32_VALUES)
    size, spare_bits = divmod(len(text) * 5, 8)
    if spare_bits >= 5 or number & ((1 << spare_bits) - 1):  # noqa: PLR2004 - bits of a character
        raise MalformedBytes("base32 text ends with bits that belong to no byte")
    return (number >> spare_bits).to_bytes(size)


def encode_base32(data: bytes) -> str:
    """Encode as lower-case base32 without padding, the inverse of `decode_base32`."""
    spare_bits = -len(data) * 8 % 5
    number = int.from_bytes(data) << spare_bits
    count = (len(data) * 8 + spare_bits) // 5
    return "".join(BASE32[number >> 5 * place & 31] for place in reversed(range(count)))


def _value(character: str, values: dict[str, int]) -> int:
    value = values.get(character)
    if value is None:
        raise MalformedBytes(f"character {character!r} is none of the alphabet")
    return value
