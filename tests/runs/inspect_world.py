"""Look at the machine from outside: what is left of runs whose id begins so?

A process of its own, so that nothing that the harness or a test holds can hide or keep anything.
"""

import os
import sys
from pathlib import Path

import psutil


def leftovers(prefix: str) -> list[str]:
    found = [
        f"process {process.pid} {process.name()} {process.status()}"
        for process in psutil.process_iter()
        if process.pid != os.getpid()
        and belongs(process, prefix)
        and process.status() != psutil.STATUS_ZOMBIE
    ]
    return found + [f"folder {path}" for path in Path("/tmp").glob(f"atlas-chaos-{prefix}*")]  # noqa: S108 -- where work folders are


def belongs(process: psutil.Process, prefix: str) -> bool:
    """Recognise a process by its mark, its working directory, or its command line."""
    try:
        marks = [process.environ().get("ATLAS_CHAOS_RUN", ""), *process.cmdline()]
        place = Path(process.cwd()).name if process.cwd() else ""
    except psutil.Error:
        return False
    is_marked = any(mark.startswith(prefix) for mark in marks)
    return is_marked or f"atlas-chaos-{prefix}" in place or f"atlas-chaos-{prefix}" in str(marks)


if __name__ == "__main__":
    left = leftovers(sys.argv[1])
    sys.stdout.write("\n".join(left))
    raise SystemExit(bool(left))
