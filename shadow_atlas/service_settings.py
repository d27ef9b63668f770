"""Hold what every service process is told, validated; a stand-in needs no more than this."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shadow_atlas.environment import EnvironmentReader

BODY_LIMIT_BYTES = 1024 * 1024  # no request of these services carries more than an identifier
SHUTDOWN_GRACE_S = 12.0  # the longest answer (total timeout of a lookup, 10 s) and its sending


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What every service process is told.

    Args:
        name: Name in events, logs and health.
        host: Address to listen on.
        port: TCP port to listen on.
        event_dir: Folder of the event file; None keeps events live only.
        incarnation: Distinguishes successive processes of one service.
        chaos_token: Opens the chaos endpoints; None hides them.
        listener_descriptor: Listening socket that the process inherits; None: it opens its own.
        seed: Root of every random stream of the process.
        time_scale: Factor that was applied to all durations; kept to be reported.
        resilience: Dotted path of the factory of stacks.
        app: Dotted path of the factory of the application.
        shutdown_grace_s: Seconds that answers in flight are given after SIGTERM.
        body_limit_bytes: Largest request body that is read.
    """

    name: str
    host: str
    port: int
    app: str
    event_dir: Path | None = None
    incarnation: str = "1"
    chaos_token: str | None = field(default=None, repr=False)
    listener_descriptor: int | None = None
    seed: int = 0
    time_scale: float = 1.0
    resilience: str = "resilience:create_stack"
    shutdown_grace_s: float = SHUTDOWN_GRACE_S
    body_limit_bytes: int = BODY_LIMIT_BYTES

    @classmethod
    def read(cls, reader: EnvironmentReader, *, default_app: str) -> Self:
        """Take the variables that all services share; durations come out scaled."""
        time_scale = reader.positive("ATLAS_TIME_SCALE", default=1.0)
        return cls(
            name=reader.text("ATLAS_SERVICE"),
            host=reader.text("ATLAS_HOST", default="127.0.0.1"),
            port=reader.port("ATLAS_PORT"),
            app=reader.dotted_path("ATLAS_APP", default=default_app),
            event_dir=reader.optional_path("ATLAS_EVENT_DIR"),
            incarnation=reader.text("ATLAS_INCARNATION", default="1"),
            chaos_token=reader.optional_text("ATLAS_CHAOS_TOKEN"),
            listener_descriptor=reader.optional_whole("ATLAS_LISTENER_FD"),
            seed=reader.whole("ATLAS_SEED", default=0),
            time_scale=time_scale,
            resilience=reader.dotted_path("ATLAS_RESILIENCE", default="resilience:create_stack"),
            shutdown_grace_s=SHUTDOWN_GRACE_S * time_scale,
        )
