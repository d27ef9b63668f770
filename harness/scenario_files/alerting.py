"""The section `alerts` of a scenario, and the names of the alerts that its checks may refer to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model.alert_rules import alert_names, render_rules
from harness.model.alerting import Alerting
from harness.model.errors import FileProblems
from harness.model.fields import Kind
from harness.scenario_files.forms import ListOf, Quantity, Schema, Text
from harness.scenario_files.keys import Key, Record
from harness.scenario_files.places import Place, Unreadable
from harness.scenario_files.references import Reference
from harness.scenario_files.source import read_text
from harness.scenario_files.yaml_nodes import MapNode, Node, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesFile:
    """The path of a file of Prometheus rules, from the folder of the file that names it."""

    expected: str = "a file of rules such as 'alerts.template.yml'"

    def read(self, node: Node, place: Place) -> Path | Unreadable:
        """Return the path as it is written, once its rules could be rendered."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text.strip():
            return place.report(node, f"expected {self.expected}, got {node}")
        path = place.problems.path.parent / node.text
        try:
            rules = read_text(path)
            render_rules(rules, 1.0)
        except FileProblems as error:
            return place.report(node, str(error.problems[0]))
        except ValueError as error:
            return place.report(node, f"{path}: {error}")
        if not alert_names(rules):
            return place.report(node, f"{path} defines no alert")
        return Path(node.text)

    def write(self, value: Path) -> str:
        """Return the path."""
        return str(value)

    def schema(self) -> Schema:
        """Return a text; whether there is such a file is not for a schema to know."""
        return {"type": "string", "minLength": 1}


def _alerting(*, scrape: Sequence[str], **values: object) -> Alerting:
    return Alerting(scrape=tuple(scrape), **values)  # type: ignore[arg-type]  # read by the keys


ALERTING = Record(
    make=_alerting,
    expected="a mapping with 'rules', 'scrape' and 'every'",
    keys=(
        Key(
            key="rules",
            attribute="rules",
            form=RulesFile(),
            doc="Prometheus rules, or a template of them; its path from here",
            required=True,
        ),
        Key(
            key="scrape",
            attribute="scrape",
            form=ListOf(form=Reference(noun="service"), noun="service", example="[api]"),
            doc="the services whose metrics are read, each as a job of its name",
            required=True,
        ),
        Key(
            key="every",
            attribute="every_s",
            form=Quantity(kind=Kind.DURATION, above=0.0),
            doc="interval of scrapes, of evaluations and of looks at the alerts",
            required=True,
        ),
        Key(
            key="path",
            attribute="path",
            form=Text(pattern=r"/\S*", expected="a path such as '/metrics'"),
            doc="path of the metrics",
            default="/metrics",
        ),
    ),
)


def known_alerts(root: MapNode, folder: Path) -> tuple[str, ...] | None:
    """Return the alerts that a scenario's rules define; None if the rules cannot be read.

    Args:
        root: The scenario's file.
        folder: Its folder.
    """
    section = root.get("alerts")
    if section is None:
        return ()
    rules = section.get("rules") if isinstance(section, MapNode) else None
    if not isinstance(rules, Scalar):
        return None
    try:
        return alert_names(read_text(folder / rules.text))
    except FileProblems:
        return None
