"""Read typed values from environment variables and report every problem at once."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")


class ConfigurationError(ValueError):
    """Say which variables are wrong, what was expected and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an upstream listens.

    Raises:
        ValueError: If the host is empty or the port is outside 1 to 65535.
    """

    host: str
    port: int

    def __post_init__(self) -> None:
        if not self.host:
            raise ValueError("host must not be empty")
        if not 1 <= self.port <= 65535:  # noqa: PLR2004 -- the range of TCP ports
            raise ValueError(f"port={self.port!r} must be in [1, 65535]")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class EnvironmentReader:
    """Convert variables one by one; `finish` raises one error that lists all problems.

    A variable with a problem reads as its default (or as a harmless value of its type), so
    that reading can go on to the next one. The values must not be used before `finish`.
    """

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._mapping = mapping
        self._problems: list[str] = []

    def text(self, name: str, *, default: str | None = None) -> str:
        """Read a non-empty text; without a default the variable is required."""
        return self._read(name, default, _non_empty, "a non-empty text", "")

    def optional_text(self, name: str) -> str | None:
        """Read a text; unset and empty both mean None."""
        return self._mapping.get(name) or None

    def optional_path(self, name: str) -> Path | None:
        """Read a path; unset and empty both mean None."""
        text = self.optional_text(name)
        return None if text is None else Path(text)

    def whole(self, name: str, *, default: int | None = None) -> int:
        """Read a decimal whole number."""
        return self._read(name, default, int, "a whole number", 0)

    def optional_whole(self, name: str) -> int | None:
        """Read a decimal whole number; unset and empty both mean None."""
        return self.whole(name) if self._mapping.get(name) else None

    def port(self, name: str) -> int:
        """Read a TCP port, 1 to 65535."""
        return self._read(name, None, _port, "a port from 1 to 65535", 1)

    def positive(self, name: str, *, default: float | None = None) -> float:
        """Read a finite number above 0."""
        return self._read(name, default, _positive, "a finite number above 0", 1.0)

    def address(self, name: str) -> Address:
        """Read `host:port`; an IPv6 host stands in brackets."""
        nowhere = Address(host="unset", port=1)
        return self._read(name, None, _address, "an address such as '127.0.0.1:5432'", nowhere)

    def optional_address(self, name: str) -> Address | None:
        """Read `host:port`; unset and empty both mean None."""
        return self.address(name) if self._mapping.get(name) else None

    def dotted_path(self, name: str, *, default: str) -> str:
        """Read `module:attribute`; loading it is the caller's work."""
        return self._read(name, default, _dotted, "a path such as 'package.module:name'", "")

    def parsed(
        self, name: str, *, parse: Callable[[str], Value], default: Value, expected: str
    ) -> Value:
        """Read what `parse` makes of the text; it raises ValueError for what it does not take.

        Args:
            name: The variable.
            parse: Makes a value of its text.
            default: The value when it is not set.
            expected: What a problem says was expected.
        """
        return self._read(name, default, parse, expected, default)

    def finish(self) -> None:
        """Raise what was wrong.

        Raises:
            ConfigurationError: If at least one variable was missing or wrong.
        """
        if self._problems:
            raise ConfigurationError("\n".join(self._problems))

    def _read(
        self,
        name: str,
        default: Value | None,
        parse: Callable[[str], Value],
        expected: str,
        harmless: Value,
    ) -> Value:
        text = self._mapping.get(name)
        if text is None and default is not None:
            return default
        if text is None:
            self._problems.append(f"{name}: expected {expected}, but it is not set")
            return harmless
        try:
            return parse(text)
        except ValueError:
            self._problems.append(f"{name}: expected {expected}, got {text!r}")
            return harmless if default is None else default


def _non_empty(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text


def _port(text: str) -> int:
    return Address(host="any", port=int(text)).port


def _positive(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise ValueError
    return number


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host=host.removeprefix("[").removesuffix("]"), port=int(port))


def _dotted(text: str) -> str:
    module, colon, attribute = text.partition(":")
    parts = [*module.split("."), *attribute.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        raise ValueError
    return text
