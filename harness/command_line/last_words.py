"""What a command says that ends by an error nobody expected."""

import errno
import traceback

from harness.model.errors import first_of

_FULL = {errno.ENOSPC, errno.EDQUOT}


def last_words(error: Exception) -> str:
    """Return an error as people need it: a full disk in one line, a surprise with its traceback.

    >>> last_words(OSError(errno.ENOSPC, "No space left on device")).partition(",")[0]
    'no space left'
    """
    first = first_of(error)
    if isinstance(first, OSError) and first.errno in _FULL:
        where = f" for {first.filename2 or first.filename}" if first.filename else ""
        return (
            f"no space left{where}, so not all was recorded; make room, or name a folder on "
            "another disk with --report-dir\n"
        )
    return "".join(traceback.format_exception(error))
