"""What a scenario says of alerts: the rules, and the services whose metrics they look at."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """A Prometheus that watches the system during the run.

    Args:
        rules: File of rules, or a template of them (`harness.model.alert_rules`).
        scrape: The services whose metrics it reads, directly and not through a fault proxy.
        every_s: Interval of scrapes, of evaluations, and of our looks at the alerts, scaled.
        path: HTTP path of the metrics.
    """

    rules: Path
    scrape: tuple[str, ...]
    every_s: float
    path: str = "/metrics"

    def __post_init__(self) -> None:
        if not self.scrape:
            raise ValueError("scrape: names no service, so no alert could fire")
