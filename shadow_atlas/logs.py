"""Write logs as JSON lines on stderr, those of libraries included."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from shadow_atlas.clock import Clock


def configure_logs(*, service: str, incarnation: str, clock: Clock) -> None:
    """Set up the process's logs; called once, by the process itself and by no library code."""

    def identify(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["wall_unix_s"] = clock.wall()
        event["service"] = service
        event["incarnation"] = incarnation
        return event

    shared: list[Any] = [
        identify,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
