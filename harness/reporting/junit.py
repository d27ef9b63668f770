"""Write JUnit XML: a testcase per scenario, as CI systems read it."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime

from harness.model.records import NS_PER_S
from harness.model.verdict import Verdict
from harness.reporting.console import failure_block, render
from harness.reporting.run_report import RunReport

# XML 1.0 has no way to write these characters, and a report must not break on a log line.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BODY_WIDTH = 120


def junit_xml(reports: Sequence[RunReport], suite: str = "atlas-chaos") -> str:
    """Return the document; FAILED is a failure, INCONCLUSIVE and HARNESS_ERROR are errors."""
    counted = {
        "tests": len(reports),
        "failures": _count(reports, Verdict.FAILED),
        "errors": _count(reports, Verdict.INCONCLUSIVE, Verdict.HARNESS_ERROR),
        "skipped": _count(reports, Verdict.SKIPPED),
    }
    attributes = {"name": suite, **{key: str(value) for key, value in counted.items()}}
    attributes["time"] = f"{sum(report.duration_s for report in reports):.3f}"
    root = ET.Element("testsuites", attributes)
    element = ET.SubElement(root, "testsuite", attributes)
    if started := min((r.started_unix_ns for r in reports if r.started_unix_ns), default=0):
        element.set("timestamp", datetime.fromtimestamp(started / NS_PER_S, UTC).isoformat())
    for report in reports:
        element.append(_testcase(report))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _count(reports: Sequence[RunReport], *verdicts: Verdict) -> int:
    return sum(report.verdict in verdicts for report in reports)


def _testcase(report: RunReport) -> ET.Element:
    case = ET.Element("testcase", {"classname": report.system, "name": report.name})
    case.set("file", report.path)
    case.set("time", f"{report.duration_s:.3f}")
    properties = ET.SubElement(case, "properties")
    for name, value in _properties(report):
        ET.SubElement(properties, "property", {"name": name, "value": clean(value)})
    if report.verdict is Verdict.SKIPPED:
        ET.SubElement(case, "skipped", {"message": clean(report.sentence)})
    elif report.verdict is not Verdict.PASSED:
        tag = "failure" if report.verdict is Verdict.FAILED else "error"
        about = {"type": str(report.verdict), "message": clean(report.sentence)}
        ET.SubElement(case, tag, about).text = clean(render(failure_block(report), _BODY_WIDTH))
    return case


def _properties(report: RunReport) -> list[tuple[str, str]]:
    fixed = [
        ("verdict", str(report.verdict)),
        ("severity", report.severity),
        ("environment", report.environment),
        ("seed", str(report.seed)),
        ("time_scale", f"{report.time_scale:g}"),
        ("replay", report.replay),
    ]
    return fixed + [(name, f"{value:.6g}") for name, value in sorted(report.figures.items())]


def clean(text: str) -> str:
    r"""Return the text with what XML cannot hold written as `\x1b`.

    >>> clean("a\x1b[0mb")
    'a\\x1b[0mb'
    """
    return _NOT_XML.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
