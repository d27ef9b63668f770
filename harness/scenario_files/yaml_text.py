"""Write texts, numbers, lists and mappings as YAML that reads back to the same values."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.scenario_files.yaml_nodes import Scalar

WIDTH_MAX = 100

_PLAIN = re.compile(r"[A-Za-z0-9/_][A-Za-z0-9/_.%+ ()?=&@-]*(?<! )(?: -> [a-z0-9_]+)?")
_BLOCK_LINE = re.compile(r"(?:[^\W_]|[ -~])*(?<! )")


def write_yaml(value: Mapping[str, Any]) -> str:
    """Return a mapping as a YAML document; short values stand in one line."""
    return "".join(f"{line}\n" for line in _map_lines(value))


def _map_lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, item in value.items():
        yield from _lines(f"{flow(key)}:", item)


def _lines(head: str, value: Any) -> Iterator[str]:
    if isinstance(value, str) and _is_block(value):
        yield f"{head} |" + ("" if value.endswith("\n") else "-")
        yield from (f"  {line}".rstrip() for line in value.rstrip("\n").split("\n"))
        return
    line = f"{head} {flow(value)}"
    if not isinstance(value, Mapping | list) or not value or _is_short(line, value):
        yield line
    elif isinstance(value, list):
        yield head
        for item in value:
            yield from _item_lines(item)
    else:
        yield head
        yield from (f"  {line}" for line in _map_lines(value))


def _is_short(line: str, value: Any) -> bool:
    """Say whether a value may stand in one line: it fits and is not nested twice."""
    members = value.values() if isinstance(value, Mapping) else value
    is_nested = any(isinstance(member, Mapping | list) for member in members)
    return not is_nested and len(line) <= WIDTH_MAX and "\n" not in line


def _item_lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        lines = list(_map_lines(value))
        yield f"  - {lines[0]}"
        yield from (f"    {line}" for line in lines[1:])
    else:
        yield f"  - {flow(value)}"


def flow(value: Any) -> str:
    """Return a value in one line, in YAML's flow style."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{flow(key)}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow(item) for item in value)}]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and Scalar(line=0, column=0, text=value).value == value:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if _is_printable(char) else _escape(char) for char in quoted)


def _is_printable(char: str) -> bool:
    return char.isprintable()


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- the BMP


def _is_block(value: str) -> bool:
    """Say whether a text of several lines is plain enough for a literal block."""
    body = value.removesuffix("\n")
    lines = body.split("\n")
    if len(lines) < 2 or not lines[0].strip() or not lines[-1]:  # noqa: PLR2004 -- no block
        return False
    if lines[0].startswith(" "):  # its indentation would be taken for the block's
        return False
    return all(_BLOCK_LINE.fullmatch(line) for line in lines)
