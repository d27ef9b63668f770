"""Pure functions from a history to findings, and from findings to a verdict."""

from harness.checks.catalogue import CHECKS
from harness.checks.evidence import evidence_findings
from harness.checks.steady import SteadyAnswer, is_steady, settled, steady_loads
from harness.checks.verdict import Judgement, judge

__all__ = [
    "CHECKS",
    "Judgement",
    "SteadyAnswer",
    "evidence_findings",
    "is_steady",
    "judge",
    "settled",
    "steady_loads",
]
