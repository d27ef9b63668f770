"""Damage an answer so that it is surely another one."""

import math
import random
from collections.abc import Callable
from typing import Any

_UPPER_A = 65
_LETTERS = 26


def corrupted(value: object, rng: random.Random, *, places: int = 1) -> object:
    """Return a damaged copy of `value`: of the same type, never equal to it.

    Bytes and text are changed in `places` positions (or in all, if there are fewer), numbers are
    shifted, truth is turned round; of lists and mappings one drawn element is damaged.

    Args:
        value: Bytes, text, or anything that JSON can say.
        rng: Draws where and how.
        places: How many bytes or characters change.

    Raises:
        TypeError: If it is of any other type; an answer left whole would be a fault without effect.
    """
    if isinstance(value, bool):
        return not value
    for kind, damage in _DAMAGE_BY_TYPE:
        if isinstance(value, kind):
            return damage(value, rng, places)
    if value is None:
        return "corrupted"
    raise TypeError(f"cannot corrupt {type(value).__name__}; expected bytes, str or a JSON value")


def _bytes(value: bytes, rng: random.Random, places: int) -> bytes:
    damaged = bytearray(value or b"\x00")
    for index in rng.sample(range(len(damaged)), min(places, len(damaged))):
        damaged[index] ^= rng.randrange(1, 256)  # never 0: each drawn byte does change
    return bytes(damaged)


def _text(value: str, rng: random.Random, places: int) -> str:
    damaged = list(value or "?")
    for index in rng.sample(range(len(damaged)), min(places, len(damaged))):
        letters = [chr(_UPPER_A + offset) for offset in range(_LETTERS)]
        damaged[index] = rng.choice([letter for letter in letters if letter != damaged[index]])
    return "".join(damaged)


def _whole(value: int, rng: random.Random, _places: int) -> int:
    return value + rng.choice((-1, 1)) * rng.randrange(1, 1000)


def _fraction(value: float, rng: random.Random, _places: int) -> float:
    damaged = value * -1.5 + rng.uniform(1.0, 2.0)
    # An infinity changes sign; NaN equals nothing, so it would pass for damaged as it is.
    return 0.5 if damaged == value or math.isnan(damaged) else damaged


def _list(value: list[Any], rng: random.Random, places: int) -> list[Any]:
    if not value:
        return ["corrupted"]
    index = rng.randrange(len(value))
    return [*value[:index], corrupted(value[index], rng, places=places), *value[index + 1 :]]


def _mapping(value: dict[Any, Any], rng: random.Random, places: int) -> dict[Any, Any]:
    if not value:
        return {"corrupted": True}
    key = rng.choice(list(value))
    return {**value, key: corrupted(value[key], rng, places=places)}


_DAMAGE_BY_TYPE: tuple[tuple[type, Callable[[Any, random.Random, int], object]], ...] = (
    (bytes, _bytes),
    (str, _text),
    (int, _whole),
    (float, _fraction),
    (list, _list),
    (dict, _mapping),
)
