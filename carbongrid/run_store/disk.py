"""A disk that is full: told as such, whoever met it and in whatever words."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from carbongrid.errors import CarbongridError, RunError
from carbongrid.raster.portable import reserve

_SPACE = 16 * 2**20
"""Where a file that is so much larger than all others finds no room, a failure to write is told as a full disk."""
_MAX_SPACE = 256 * 2**20
"""No more than this is taken for a moment to find out."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DRIVERS = ("h5netcdf", "h5py", "netCDF4", "pyarrow", "pyogrio", "rasterio", "sqlite3")
_OF_CODE = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
    *(NotImplementedError, RecursionError, TypeError),
)
"""What no disk brings about: a fault of the package, or too little memory, whatever room there is."""


def is_full(folder: Path, error: BaseException) -> bool:
    """Tell whether an error came of a full disk, or of a limit to what may be written."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return True
        cause = cause.__cause__ or cause.__context__
    return _may_be_of_writing(error) and _takes_no_more(folder)


@contextlib.contextmanager
def detect_full_disk(folder: Path) -> Iterator[None]:
    """Raise RunError instead, where what is written into a folder finds the disk full."""
    try:
        yield
    except Exception as error:
        if folder.is_dir() and is_full(folder, error):
            raise RunError(
                f"{folder}: the disk is full. Free some space, remove what was begun there, and try again."
            ) from error
        raise


def open_to_write(folder: Path) -> None:
    """Make a folder if it is not there.

    Raises
    ------
    RunError
        If nothing can be written into it.
    """
    with detect_full_disk(folder), _refusals_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def require_writable(folder: Path) -> None:
    """Raise RunError where :func:`open_to_write` would, before there is anything to write; a folder that is not there is not made."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    with detect_full_disk(there), _refusals_told(folder):
        if there == folder:
            tempfile.TemporaryFile(dir=there).close()
        else:  # a folder, since the root of a drive of Windows takes no file of everybody's
            tempfile.TemporaryDirectory(dir=there).cleanup()


@contextlib.contextmanager
def _refusals_told(folder: Path) -> Iterator[None]:
    """Raise RunError where a folder takes nothing, for whatever reason but a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise RunError(f"{folder}: nothing can be written here ({error.strerror}). Give another.") from error  # fmt: skip


def _may_be_of_writing(error: BaseException) -> bool:
    """Tell whether an error may be what a driver of a format makes of a full disk: words of its own, or none."""
    if isinstance(error, (CarbongridError, *_OF_CODE)):
        return False
    origin = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError | RuntimeError) or origin in _DRIVERS


def _takes_no_more(folder: Path) -> bool:
    """Tell whether there is no room for a file larger than those of a folder: by a full disk, a quota, or a limit to files."""
    largest = max(map(_size, folder.rglob("*")), default=0)
    try:
        with tempfile.TemporaryFile(dir=folder.parent) as probe:
            probe.truncate(_SPACE + largest)  # takes no room, but is refused above a limit to files
            reserve(probe, min(_SPACE + largest, _MAX_SPACE), folder.parent)
    except OSError as error:
        return error.errno in _FULL
    return False


def _size(path: Path) -> int:
    """Return the size of a file; 0 where it is gone by now."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def full_disk(out: Path) -> str:
    """Return what to tell of a full disk, and of what is at ``out``."""
    lost = "The run that was there is as it was." if out.exists() else "Nothing is lost."
    return f"{out.parent}: the disk is full. {lost} Free some space and run again."
