"""What not every system has, and what stands in for it: the one place that asks which system this is."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import importlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

READ_ONLY = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
"""How a file is opened that may turn out to be a pipe."""

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_LIKE_READING = READ_ONLY & ~os.O_RDONLY

LOCKS_FILES = fcntl is not None
"""Whether an open file can be locked until its process ends; else filelock does what the system offers."""


def open_without_links(path: str | Path, flags: int) -> int:
    """Return the descriptor of a file that is no link itself, made with mode 0666 where the flags say so.

    Raises
    ------
    OSError
        ELOOP for a link. Where the system cannot refuse one on opening it is looked for before.
    """
    if not _NO_LINKS and Path(path).is_symlink():
        raise OSError(errno.ELOOP, "it is a link", str(path))
    return os.open(path, flags | _NO_LINKS | _LIKE_READING, 0o666)


def user() -> int | None:
    """Return who runs this process; None where files have no such owner."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def machine_name() -> str:
    """Return the name of this machine in its network."""
    import platform

    return platform.node() or "this machine"


def physical_memory() -> int:
    """Return bytes; where nobody tells, the largest number there is: then only what is asked for is a limit."""
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        import psutil
    except ImportError:
        return sys.maxsize
    return int(psutil.virtual_memory().total)


def give_back() -> None:
    """Give memory that nothing uses back to the system; glibc keeps what lies below the last thing that is in use, half a gigabyte of a million parcels."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def imported(module: str) -> ModuleType:
    """Import a module; Python looks for cycles afterwards, not again and again among what libraries leave there for good, which took a sixth of the time."""
    looks = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        if looks:
            gc.enable()


def lock(stream: IO[str]) -> None:
    """Lock an open file for this process alone, or raise BlockingIOError at once; only where ``LOCKS_FILES``."""
    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lives(process: int) -> bool:
    """Tell whether a process of this machine lives; where asking would end it, it is taken to live."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def reserve(stream: IO[bytes], size: int, folder: Path) -> None:
    """Take room on the disk for so many bytes, or raise OSError (ENOSPC) if there is less."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, size)
    elif shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's entries, to the disk, as far as the system does."""
    if os.name != "posix" and path.is_dir():
        return
    # Windows writes back only through what may write.
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot do it for folders, and have no use for it.
        if error.errno != errno.EINVAL or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Start threads and processes that do not hear Ctrl-C, which a terminal sends to all: this process ends them in order.

    A thread's mask is that of what it starts. What was sent meanwhile arrives afterwards. Where threads have no masks, all hear it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def interrupt(thread: int | None, number: int) -> None:
    """Send a signal to a thread of this process, or to the main one where threads cannot be told apart."""
    if hasattr(signal, "pthread_kill") and thread is not None:
        signal.pthread_kill(thread, number)
    else:
        signal.raise_signal(number)


_STANDARD_OUTPUT = threading.Lock()
"""Held while it is sent elsewhere: who kept it meanwhile would put back what is not it."""


@contextlib.contextmanager
def compiled_says_to_errors() -> Iterator[None]:
    """Send to the standard errors what compiled code writes to the standard output meanwhile, past Python; one thread at a time."""
    with _STANDARD_OUTPUT:
        try:
            sys.stdout.flush()
            os.fstat(2)
            kept = os.dup(1)
        except (OSError, AttributeError, ValueError):  # one of both is closed, or not there
            yield
            return
        os.dup2(2, 1)
        try:
            yield
        finally:
            # Elsewhere than on POSIX lines may come.
            with contextlib.suppress(OSError, AttributeError, TypeError):
                ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
