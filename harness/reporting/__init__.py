"""Tell about runs: console, JUnit, Markdown, JSON, Allure and the timeline figure.

Reports repeat verdicts and never compute them; they see nothing but `harness.model`.
"""

from harness.reporting.json_report import read_summary, suite_verdict
from harness.reporting.live import LiveDisplay
from harness.reporting.run_report import RunReport, report_of
from harness.reporting.timeline import Timeline, timeline_of
from harness.reporting.timeline_figure import draw
from harness.reporting.timeline_text import draw_text
from harness.reporting.write import write_reports

__all__ = [
    "LiveDisplay",
    "RunReport",
    "Timeline",
    "draw",
    "draw_text",
    "read_summary",
    "report_of",
    "suite_verdict",
    "timeline_of",
    "write_reports",
]
