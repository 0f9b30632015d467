"""Opens files as such: a regular file, or an error at once."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import TextIO

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_file(path: str | Path) -> io.BufferedReader:
    """Open a regular file for reading.

    Parameters
    ----------
    path
        The file; links are followed.

    Raises
    ------
    OSError
        If there is none, it may not be read, or it is no regular file: a pipe waits until somebody fills it, a device may
        be read without end.
    """
    require_regular(path)
    # What was looked at may be another file by now: opening it waits for nothing, and it is looked at again.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def open_text(path: str | Path, encoding: str = "utf-8", newline: str | None = None) -> TextIO:
    """Open a regular file of text; raises as :func:`open_file`."""
    return io.TextIOWrapper(open_file(path), encoding=encoding, newline=newline)


def read_bytes(path: str | Path) -> bytes:
    """Return what a regular file holds; raises as :func:`open_file`."""
    with open_file(path) as stream:
        return stream.read()


def read_text(path: str | Path, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Return the text of a regular file, its line ends as they are; raises as :func:`open_file`, and UnicodeDecodeError."""
    return read_bytes(path).decode(encoding, errors)


def require_regular(path: str | Path) -> None:
    """Raise OSError unless there is a regular file; it is not opened."""
    _require_regular(Path(path).stat().st_mode, path)


def require_regular_tree(folder: Path) -> None:
    """Raise OSError if a folder holds, at any depth, what is neither a file nor a folder; links are followed to files only."""
    for place, folders, names in folder.walk():
        for name in names:
            require_regular(place / name)
        for name in folders:
            if (place / name).is_symlink():
                raise OSError(errno.EINVAL, "it holds a link to a folder", str(place / name))


def _require_regular(mode: int, path: str | Path) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
    kind = next((word for matches, word in _KINDS if matches(mode)), "something else")
    raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))
