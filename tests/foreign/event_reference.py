"""The tables of the reference of events, made from the records and from the history's page."""

import re
from pathlib import Path

from harness.model.event_schema import EventField, fields_of_event

DOCS = Path(__file__).parents[2] / "docs" / "reference"
PAGE = DOCS / "event-schema.md"
SCHEMA = DOCS / "event-schema.json"

_MARK = re.compile(r"(<!-- fields: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """Return the page with its tables anew."""
    history = (DOCS / "history.md").read_text()
    return _MARK.sub(lambda found: f"{found[1]}{_table(found[2], history)}\n{found[3]}", page)


def kinds_on(page: str) -> list[str]:
    """Return the kinds that have a table, in order."""
    return re.findall(r"<!-- fields: (\w+) -->", page)


def _table(kind: str, history: str) -> str:
    rows = ["| field | holds | needed | meaning |", "|---|---|---|---|"]
    section = history.partition(f"\n### `{kind}`\n")[2].partition("\n#")[0]
    meanings = dict(re.findall(r"^\| `(\w+)` \| [a-z ]+ \| (.*) \|$", section, re.MULTILINE))
    for each in fields_of_event(kind):
        needed = "yes" if each.is_required else ""
        rows.append(f"| `{each.name}` | {_holds(each)} | {needed} | {meanings[each.name]} |")
    return "\n".join(rows)


def _holds(each: EventField) -> str:
    if each.words:
        return ", ".join([*(f"`{word}`" for word in each.words), *each.terms[1:]])
    return " or ".join(each.terms)
