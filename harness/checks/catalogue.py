"""All checks, in the order in which the reference lists them."""

from harness.checks.alert import Alert
from harness.checks.answer_source import AnswerSource
from harness.checks.breaker_transitions import BreakerTransitions
from harness.checks.bulkhead import Bulkhead
from harness.checks.fallback import Fallback
from harness.checks.latency import Latency
from harness.checks.probe_value import ProbeValue
from harness.checks.rate_limit import RateLimit
from harness.checks.recovery_time import RecoveryTime
from harness.checks.retry_amplification import RetryAmplification
from harness.checks.retry_spacing import RetrySpacing
from harness.checks.retry_spread import RetrySpread
from harness.checks.retry_success import RetrySuccess
from harness.checks.success_ratio import SuccessRatio
from harness.checks.work_items import WorkItems
from harness.model.check import Check

CHECKS: tuple[type[Check], ...] = (
    SuccessRatio,
    Latency,
    RecoveryTime,
    RetrySuccess,
    RetryAmplification,
    RetrySpacing,
    RetrySpread,
    BreakerTransitions,
    Fallback,
    AnswerSource,
    RateLimit,
    Bulkhead,
    WorkItems,
    ProbeValue,
    Alert,
)
"""The types that a scenario may name under `checks:`."""
