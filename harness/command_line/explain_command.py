"""The command `explain`: what a fault, a check, a verdict or an exit code is."""

import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from harness.command_line.catalogue import CHECKS_BY_NAME, FAULTS_BY_NAME
from harness.command_line.examples import CHECK_EXAMPLES, FAULT_EXAMPLES
from harness.command_line.exit_codes import ExitCode, end_with
from harness.command_line.fault_matrix import offered_by
from harness.command_line.meanings import EVIDENCE, EXIT_CODES, VERDICTS
from harness.model.fields import Field, fields_of
from harness.model.verdict import Verdict
from harness.scenario_files.described_fields import form_of
from harness.scenario_files.forms import ListOf
from harness.scenario_files.problems import suggestion
from harness.scenario_files.yaml_text import flow

_WIDTH_MAX = 96
_LABELS = ("Clients see", "Heals", "Cannot imitate", "Do", "Don't")
_LABEL_WIDTH = 16
_UNBROKEN = "\N{NO-BREAK SPACE}"


def explain(names: list[str]) -> None:
    """Print what each name means; without names, what there is. End with 4 at unknown ones."""
    if not names:
        sys.stdout.write(_everything())
        return
    unknown = [name for name in names if not any(_told(name))]
    for name in unknown:
        hint = suggestion(name, _all_names())
        sys.stderr.write(f"nothing is called {name!r}{hint}; 'atlas-chaos explain' lists all\n")
    if unknown:
        end_with(ExitCode.USAGE)
    sys.stdout.write("\n".join(text for name in names for text in _told(name)))


def _all_names() -> list[str]:
    words = [*FAULTS_BY_NAME, *CHECKS_BY_NAME, *EVIDENCE, *map(str, VERDICTS)]
    return [*words, *(code.name for code in EXIT_CODES), *(str(int(code)) for code in EXIT_CODES)]


def _told(name: str) -> Iterator[str]:
    """Yield what is called by a name; `latency` is a fault and a check."""
    low, up = name.lower(), name.upper()
    if low in FAULTS_BY_NAME:
        yield _of_fault(low)
    if low in CHECKS_BY_NAME:
        yield _of_check(low)
    if low in EVIDENCE:
        yield f"finding {low}, in every run\n\n{_wrapped(EVIDENCE[low])}"
    if up in Verdict.__members__:
        yield f"verdict {up}\n\n{_wrapped(VERDICTS[Verdict[up]])}"
    for code, text in EXIT_CODES.items():
        if name == str(int(code)) or up == code.name:
            yield f"exit code {int(code)}\n\n{_wrapped(text)}"


def _everything() -> str:
    parts = [
        _list("faults, for 'timeline'", {n: f.summary for n, f in FAULTS_BY_NAME.items()}),
        _list("checks, for 'checks'", {n: c.summary for n, c in CHECKS_BY_NAME.items()}),
        _list("findings of every run", {n: _first_sentence(t) for n, t in EVIDENCE.items()}),
        _list("verdicts", {str(v): _first_sentence(t) for v, t in VERDICTS.items()}),
        _list("exit codes", {str(int(code)): text for code, text in EXIT_CODES.items()}),
    ]
    return "\n".join(parts) + "\n'atlas-chaos explain NAME' tells all about one of them\n"


def _list(heading: str, rows: Mapping[str, str]) -> str:
    width = max(len(name) for name in rows)
    lines = (_hanging(f"  {name:<{width}}  ", text) for name, text in rows.items())
    return f"{heading}\n{''.join(lines)}"


def _first_sentence(text: str) -> str:
    sentence = text.split(". ", maxsplit=1)[0].split(": ", maxsplit=1)[0].rstrip(".")
    return sentence[0].lower() + sentence[1:]


def _of_fault(name: str) -> str:
    fault = FAULTS_BY_NAME[name]
    example = f"timeline:\n  - {FAULT_EXAMPLES[name]}"
    offered = "".join(
        _hanging(f"  {column!s:<{_LABEL_WIDTH + 4}}  ", f"no: {why}" if why else "yes")
        for column, why in offered_by(name)
    )
    return _described("fault", fault, example) + f"\nwhere\n{offered}"


def _of_check(name: str) -> str:
    example = f"checks:\n  - {name}: {CHECK_EXAMPLES[name]}"
    return _described("check", CHECKS_BY_NAME[name], example)


def _described(noun: str, described: Any, example: str) -> str:
    items = fields_of(described)
    width = max(_LABEL_WIDTH, *(len(item.key) + 2 for item in items))
    fields = "".join(_field(item, width) for item in items)
    told = "\n".join(_paragraph(text) for text in _paragraphs(described))
    head = _hanging(f"{noun} {described.name}: ", described.summary)
    return f"{head}\n{told}\nfields\n{fields}\nexample\n{textwrap.indent(_folded(example), '  ')}\n"


def _paragraphs(described: type[Any]) -> list[str]:
    text = (inspect.getdoc(described) or "").partition("\nRaises:")[0].strip()
    return text.split("\n\n")


def _paragraph(text: str) -> str:
    """Return a paragraph in the terminal's width; labels such as `Heals:` stand in a column."""
    starts = re.split(rf"(?m)^({'|'.join(_LABELS)}): ", text)
    lead = _wrapped(starts[0]) if starts[0].strip() else ""
    pairs = zip(starts[1::2], starts[2::2], strict=True)
    return lead + "".join(_hanging(f"  {label:<{_LABEL_WIDTH}}", told) for label, told in pairs)


def _field(item: Field, width: int) -> str:
    form = form_of(item)
    parts = [item.doc, form.expected, *_range(item)]
    if item.default is not None:
        parts.append(f"default {flow(form.write(item.default))}")
    mark = "required" if item.required else "optional"
    return _hanging(f"  {item.key:<{width}}{mark}  ", "; ".join(parts))


def _range(item: Field) -> Iterator[str]:
    """Yield the range of a number, unless it is all of them."""
    form, low, high = form_of(item), item.minimum, item.maximum
    one = form.form if isinstance(form, ListOf) else form  # the range is that of each member
    if low is not None and high is not None:
        yield f"{one.write(low)} to {one.write(high)}"
    elif low:
        yield f"at least {one.write(low)}"


def _folded(example: str) -> str:
    """Return an example whose long lines are broken behind commas, where YAML does not mind."""
    lines: list[str] = []
    for line in example.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()))
        whole = line.strip().replace(", ", ",\0").replace(" ", _UNBROKEN).replace("\0", " ")
        lines += textwrap.wrap(
            whole,
            _width() - 2,
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_on_hyphens=False,
        )
    return "\n".join(lines).replace(_UNBROKEN, " ")


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), _width()) + "\n"


def _hanging(head: str, text: str) -> str:
    """Return a head and a text that is wrapped beside it."""
    wrapped = textwrap.fill(
        " ".join(text.split()),
        _width(),
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    )
    return f"{wrapped}\n"


def _width() -> int:
    return min(shutil.get_terminal_size().columns, _WIDTH_MAX)
