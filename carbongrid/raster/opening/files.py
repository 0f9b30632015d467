"""Opens files as such: a regular file, or an error at once; and tells addresses from paths."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from pathlib import Path
from typing import TextIO

from carbongrid.errors import InputError
from carbongrid.raster.portable import READ_ONLY, open_without_links, user

ZIP = b"PK\x03\x04"
"""How a ZIP archive begins, as an XLSX workbook is one."""

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(/?)")
"""A scheme has two letters at least: one is a drive of Windows."""

_SCHEMES = {"abfs", "abfss", "adl", "az", "file", "ftp", "ftps", "gcs", "gs", "hdfs", "hf", "http", "https", "memory", "oss", "s3", "s3a", "sftp", "smb", "webdav", "webhdfs"}  # fmt: skip
"""Of a path, which has lost the second slash: any other name before a colon is a folder's."""


def is_address(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is an address, as ``s3://bucket/a.zarr``, of which pathlib makes ``s3:/bucket/a.zarr``."""
    found = _ADDRESS.match(os.fspath(path))
    if found is None:
        return False
    return bool(found[2]) or (not isinstance(path, str) and found[1].lower() in _SCHEMES)


def path_to_write(path: str | os.PathLike[str]) -> Path:
    """Return the path of what is to be written.

    Raises
    ------
    InputError
        If it is an address: a folder of its name would be made here. If a name in it, or all of it, is longer than the file system takes.
    """
    if is_address(path):
        raise InputError(
            "this is an address, and files are written to local folders only",
            os.fspath(path),
            "Write it here and copy it there; labels of rasterize(chunks=...) also go anywhere by .to_dataset().to_zarr(address).",
        )
    path = Path(path)
    there = next((each for each in path.parents if os.path.lexists(each)), Path())
    # Behind a folder that is missing the system does not look at a name: each is asked for where there is one.
    for each in (*(there / name for name in path.parts[len(there.parts) :]), path):
        try:
            os.lstat(each)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                longest = max(len(os.fsencode(name)) for name in path.parts)
                what = f"this is longer than the file system takes: the longest name in it has {longest:,} bytes, all of it {len(os.fsencode(path)):,}"
                raise InputError(what, str(path), "Give a shorter one.") from None
    return path


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
    descriptor = os.open(path, READ_ONLY)
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


def head_of(path: str | Path, size: int) -> bytes:
    """Return the first bytes of a regular file, or all where it has fewer.

    Raises
    ------
    InputError
        If it is missing or cannot be read.
    """
    try:
        with open_file(path) as stream:
            return stream.read(size)
    except FileNotFoundError:
        raise InputError("there is no such file", str(path), "Check its name.") from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", str(path)) from None


def read_text(path: str | Path, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Return the text of a regular file, its line ends as they are; raises as :func:`open_file`, and UnicodeDecodeError."""
    return read_bytes(path).decode(encoding, errors)


Stamp = tuple[int, int, int, int]


def stamp_of(path: Path) -> Stamp:
    """Return size, time of change in nanoseconds, number and device of a file: whatever writes or replaces it changes one of them."""
    try:
        facts = path.stat()
    except OSError:
        return (-1, -1, -1, -1)
    return facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_dev


def own_file(path: str | Path) -> io.TextIOWrapper:
    """Open or make a file of this user's, for reading and writing, that has this name only and is reached by no link.

    Raises
    ------
    OSError
        If there is something else, or it cannot be made: what is written here must not end up in another file.
    """
    try:
        descriptor = open_without_links(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link", str(path)) from None
        raise
    try:
        facts = os.fstat(descriptor)
        _require_regular(facts.st_mode, path)
        _require_owner(facts, Path(path))
        if facts.st_nlink > 1:
            raise OSError(errno.EMLINK, "it is another file as well, by a hard link", str(path))
        return os.fdopen(descriptor, "r+", encoding="utf-8")
    except BaseException:
        os.close(descriptor)
        raise


def require_own_folder(folder: Path) -> None:
    """Raise OSError if there is something at this place that is no folder of this user's, or holds a link or what is no file.

    Where there is nothing, nothing is wrong.
    """
    try:
        facts = folder.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(facts.st_mode):
        raise OSError(errno.ELOOP, "it is a link", str(folder))
    if not stat.S_ISDIR(facts.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(folder))
    _require_owner(facts, folder)
    for place, folders, names in folder.walk():
        for path in (place / name for name in (*folders, *names)):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise OSError(errno.ELOOP, "it holds a link", str(path))
            if not stat.S_ISDIR(mode):
                _require_regular(mode, path)


def _require_owner(facts: os.stat_result, path: Path) -> None:
    """Raise unless it is this user's, or of whom the folder belongs to: all files of some mounted disks are of one user."""
    if user() is not None and facts.st_uid not in (user(), path.parent.stat().st_uid):
        raise PermissionError(errno.EPERM, "it belongs to another user", str(path))


def require_regular(path: str | Path) -> None:
    """Raise OSError unless there is a regular file; it is not opened."""
    _require_regular(Path(path).stat().st_mode, path)


def require_regular_tree(folder: Path) -> None:
    """Raise OSError if a folder holds, at any depth, what is neither a file nor a folder; links are followed to files only."""
    for place, _, names in folder.walk():  # links to folders are among the names
        for name in names:
            try:
                require_regular(place / name)
            except IsADirectoryError:
                what = "it is a link to a folder"
                raise OSError(errno.EINVAL, what, str(place / name)) from None


def _require_regular(mode: int, path: str | Path) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
    kind = next((word for matches, word in _KINDS if matches(mode)), "something else")
    raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))
