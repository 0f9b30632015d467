"""One writer per run directory: a lock that names its holder and dies with it."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from carbongrid.errors import RunError
from carbongrid.raster.opening.files import own_file
from carbongrid.raster.portable import LOCKS_FILES, lives, lock, machine_name
from carbongrid.run_store.disk import full_disk, is_full
from carbongrid.run_store.location import place_of, sibling

_TIMEOUT_S = 5.0
"""Seconds in which a holder must have written its name after taking the lock, or let go."""

_NAME = re.compile(r"process (\d+) on (\S+), since ")


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold the lock of a run directory; the kernel frees it when its holder dies.

    Raises
    ------
    RunError
        At once, with the holder's name, if another process has it, or if no file can be made beside the directory.
    """
    out = place_of(out)
    path = sibling(out, "lock")
    if not LOCKS_FILES:
        with _claimed_as_the_system_can(path, out):
            yield
        return
    with _taken(path, out) as stream:
        try:
            _sign(stream, out)
            yield
        finally:
            # Removed while it is held: whoever opened it meanwhile sees that it is gone and opens a new one.
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _claimed_as_the_system_can(path: Path, out: Path) -> Iterator[None]:
    """Hold the lock by filelock: it knows other systems' locks, and makes do with a file where there are none."""
    import filelock

    if path.is_symlink():
        raise RunError(f"{path}: the lock of the run directory is a link. Remove it.")
    try:
        with filelock.FileLock(path, timeout=0):
            yield
    except filelock.Timeout:
        raise RunError(
            f"{out}: another process is writing this run directory. Wait for it, or give another. If there is none, remove {path}."
        ) from None
    except OSError as error:
        if error.filename != str(path):
            raise
        raise RunError(
            f"{out.parent}: no run directory can be written here ({error.strerror}). Give another."
        ) from error


def _sign(stream: IO[str], out: Path) -> None:
    stream.truncate(0)
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    name = f"process {os.getpid()} on {machine_name()}, since {since}"
    try:
        # Past the stream's buffer: what cannot be written would be tried again when it is closed.
        os.write(stream.fileno(), name.encode())
    except OSError as error:
        if is_full(out, error):
            raise RunError(full_disk(out)) from error
        raise


def _taken(path: Path, out: Path) -> IO[str]:
    """Open and lock the file; the lock counts only if the file still bears the name then."""
    patience = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            stream = own_file(path)
        except OSError as error:
            if is_full(out, error):
                raise RunError(full_disk(out)) from error
            if path.exists() or path.is_symlink():
                raise RunError(
                    f"{path}: the lock of the run directory cannot be trusted ({error.strerror}). Remove it if nobody is "
                    "writing there, or give another directory."
                ) from error
            raise RunError(
                f"{out.parent}: no run directory can be written here ({error.strerror}). Give another."
            ) from error
        try:
            lock(stream)
        except OSError as error:
            if not isinstance(error, BlockingIOError | PermissionError):
                stream.close()
                raise RunError(
                    f"{out.parent}: this file system cannot lock files ({error.strerror}), and a run needs that. "
                    "Write the run to another one."
                ) from error
            stream.seek(0)
            holder = stream.read().strip()
            stream.close()
            # Between the lock and the name there is a moment in which the file is empty, or names a dead holder.
            if _lives(holder) or time.monotonic() > patience:
                raise RunError(
                    f"{out}: {holder or 'another process'} is writing this run directory. "
                    "Wait for it, or give another."
                ) from None
            time.sleep(0.01)
            continue
        if _is_named(path, stream):
            return stream
        stream.close()


def _is_named(path: Path, stream: IO[str]) -> bool:
    try:
        held, named = os.fstat(stream.fileno()), path.lstat()
        return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)
    except FileNotFoundError:
        return False


def _lives(holder: str) -> bool:
    """Tell whether a name is of a living process; one on another machine is taken to live."""
    match = _NAME.match(holder)
    if match is None:
        return False
    if match[2] != machine_name():
        return True
    return lives(int(match[1]))
