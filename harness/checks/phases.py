"""The stretch of a run that a check looks at."""

from harness.model.history import History, Window

DURING = ("baseline", "fault", "settle", "run")


def window_of(history: History, during: str) -> Window | None:
    """Return the window of a phase, or of the whole run; None if the run did not come that far."""
    return history.run_window() if during == "run" else history.phase(during)
