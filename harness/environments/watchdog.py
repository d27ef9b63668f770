"""Heal and stop everything when the harness is gone: `python -m harness.environments.watchdog`.

It is started before anything else, in a session of its own, and reads a pipe whose other end only
the harness holds. End of file without a word means that the harness was killed, its whole process
group included: then the watchdog undoes what the journal says and kills what the run started.
"""

import json
import os
import signal
import sys

from harness.environments import world
from harness.environments.undo import make_work_folder, undo_all

READY = "watching"
RELEASED = "released"


def watch(run_id: str) -> int:
    """Wait for the harness to say `released` or to vanish; return the exit code.

    The watchdog makes the run's work folder itself, so there is no instant at which the folder
    exists and nobody watches it. It says the folder's path on standard output when it is ready.
    The report of a clean-up goes to standard error, which the harness directs to a log file.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    world.become_subreaper()
    folder = make_work_folder(run_id, owner=os.getppid())
    try:
        sys.stdout.write(f"{READY} {folder}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # the harness is gone already; the end of file below says so too
    said = sys.stdin.readline().strip()
    if said == RELEASED:
        return 0
    try:
        done = undo_all(folder, run_id)
    except (OSError, TimeoutError) as error:
        done = [f"could not clean up: {error}"]
        sys.stderr.write(json.dumps({"run_id": run_id, "done": done}) + "\n")
        return 3
    sys.stderr.write(json.dumps({"run_id": run_id, "done": done}) + "\n")
    return 0


if __name__ == "__main__":
    os.chdir("/")
    raise SystemExit(watch(sys.argv[1]))
