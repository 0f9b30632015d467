"""A disk that is full: told as such, whoever met it and in whatever words."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from carbongrid.errors import CarbongridError

_SPACE = 16 * 2**20
"""Where a file that is so much larger than all others finds no room, a failure to write is told as a full disk."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_full(folder: Path, error: BaseException) -> bool:
    """Tell whether an error came of a full disk, or of a limit to what may be written."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return True
        cause = cause.__cause__ or cause.__context__
    # Drivers of formats say it in words of their own, or not at all.
    return not isinstance(error, CarbongridError) and _takes_no_more(folder)


def _takes_no_more(folder: Path) -> bool:
    """Tell whether there is no room for a file larger than those of a folder: by a full disk, a quota, or a limit to files."""
    largest = max((file.stat().st_size for file in folder.rglob("*") if file.is_file()), default=0)
    try:
        with tempfile.TemporaryFile(dir=folder.parent) as probe:
            os.posix_fallocate(probe.fileno(), 0, _SPACE + largest)
    except OSError as error:
        return error.errno in _FULL
    return False


def full_disk(out: Path) -> str:
    """Return what to tell of a full disk, and of what is at ``out``."""
    lost = "The run that was there is as it was." if out.exists() else "Nothing is lost."
    return f"{out.parent}: the disk is full. {lost} Free some space and run again."
