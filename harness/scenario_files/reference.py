"""Write the tables of the reference from the same descriptions that the parser reads by."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.fault import Fault
from harness.scenario_files.alerting import ALERTING
from harness.scenario_files.catalogue_forms import WHEN
from harness.scenario_files.described_fields import keys_of
from harness.scenario_files.keys import Key
from harness.scenario_files.loads import LOAD_KEYS
from harness.scenario_files.phases import CONDITION, PROBE, SETTLE, STEADY_STATE
from harness.scenario_files.scenario_keys import EXPECTATION, scenario_keys
from harness.scenario_files.system_keys import BREAKER, LINK, SERVICE, SYSTEM_KEYS
from harness.scenario_files.yaml_text import flow

TABLES: Mapping[str, Sequence[Key]] = {
    "scenario": scenario_keys(None, (), ()),
    "load": LOAD_KEYS,
    "probe": PROBE.keys,
    "alerts": ALERTING.keys,
    "steady_state": STEADY_STATE.keys,
    "timeline": WHEN,
    "settle": SETTLE.keys,
    "condition": CONDITION.keys,
    "expect": EXPECTATION.keys,
    "system": SYSTEM_KEYS,
    "service": SERVICE.keys,
    "link": LINK.keys,
    "breaker": BREAKER.keys,
}
"""The tables that a page may hold, by the name in their marks."""

_INTRODUCTION = """\
Each entry of a scenario's `timeline` injects one of these faults; `at` and `for` say when.
Durations are multiplied by `--time-scale`, rates are divided by it. This page is made from the
faults themselves."""
_TABLE = re.compile(r"(?P<begin><!-- keys: (?P<name>\w+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
_LABELS = ("Clients see", "Heals", "Cannot imitate", "Do", "Don't")


def with_tables(page: str) -> str:
    """Return a page whose tables, between `<!-- keys: NAME -->` and `<!-- end -->`, are new.

    Raises:
        KeyError: If a mark names a table that does not exist.
    """
    return _TABLE.sub(lambda m: f"{m['begin']}{table(TABLES[m['name']])}\n{m['end']}", page)


def table(keys: Sequence[Key]) -> str:
    """Return a Markdown table of keys: what they hold, their default and what they mean."""
    rows = ["| key | holds | default | meaning |", "|---|---|---|---|"]
    rows += [f"| `{key.key}` | {key.form.expected} | {_default(key)} | {key.doc} |" for key in keys]
    return "\n".join(rows)


def faults_page(faults: Sequence[type[Fault]]) -> str:
    """Return the reference page of faults: what each docstring and each field says."""
    parts = ["# Faults", _INTRODUCTION]
    for fault in faults:
        parts += [f"## `{fault.name}`", *_told(fault), table(keys_of(fault))]
    return "\n\n".join(parts) + "\n"


def _told(fault: type[Any]) -> list[str]:
    """Return the paragraphs of a fault's docstring, its labels as a list."""
    text = (inspect.getdoc(fault) or "").partition("\nRaises:")[0].strip()
    paragraphs = []
    for paragraph in text.split("\n\n"):
        for label in _LABELS:
            paragraph = re.sub(rf"(?m)^{label}: ", f"- **{label}**: ", paragraph)  # noqa: PLW2901
        lines = paragraph.split("\n")
        is_list = paragraph.startswith("- **")
        told = [line if line.startswith("- ") or not is_list else f"  {line}" for line in lines]
        paragraphs.append("\n".join(told))
    return paragraphs


def _default(key: Key) -> str:
    if key.required:
        return "required"
    if key.default is None or key.default in ((), {}, "") or not _is_plain(key):
        return ""
    return f"`{flow(key.form.write(key.default))}`"


def _is_plain(key: Key) -> bool:
    """Say whether a default is one value and not a section of its own."""
    return key.key != "steady_state"
