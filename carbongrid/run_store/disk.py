"""A disk that is full: told as such, whoever met it and in whatever words."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from carbongrid.errors import CarbongridError

_SPACE = 16 * 2**20
"""Where less than this is left, a failure to write is told as a full disk."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_full(folder: Path, error: BaseException) -> bool:
    """Tell whether an error came of a full disk, or of a limit to what may be written."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return True
        cause = cause.__cause__ or cause.__context__
    # Drivers of formats say it in words of their own, or not at all.
    return not isinstance(error, CarbongridError) and shutil.disk_usage(folder.parent).free < _SPACE


def full_disk(out: Path) -> str:
    """Return what to tell of a full disk, and of what is at ``out``."""
    lost = "The run that was there is as it was." if out.exists() else "Nothing is lost."
    return f"{out.parent}: the disk is full. {lost} Free some space and run again."
