"""Where files that a case names may lie: under its folder, unless it allows more."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from carbongrid.errors import InputError
from carbongrid.raster.opening.formats import files_behind

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")
"""And halves of characters, but those by which Python has bytes of a name that are no text."""
_MAX_LENGTH = 4096
"""What Linux takes; links are looked for at each part of a path, which of thousands takes minutes."""
_INSIDE = "Put the file under the case's folder, or set allow_outside = true."


def resolve_path(folder: Path, written: str, allow_outside: bool) -> Path:
    """Return the absolute path of a file that a case names; it need not be there.

    Parameters
    ----------
    folder
        Folder of the case file.
    written
        The path as the case has it.
    allow_outside
        As the case has it.

    Raises
    ------
    InputError
        If the path is blank, too long, cannot be looked for, is remote, a driver's own kind, or leads outside the folder, by ``..``, from
        the root or through a symbolic link, without ``allow_outside``.
    """
    if not written.strip() or _CONTROL.search(written):
        hint = r"Write it with / between: in double quotes \ begins an escape." if written.strip() else ""  # fmt: skip
        raise InputError(f"{written!r} is not the name of a file", hint=hint)
    if len(written) > _MAX_LENGTH:
        raise InputError(f"{written[:40]!r}... of {len(written):,} characters is too long for the name of a file", hint="Name the file as it lies in the case's folder.")  # fmt: skip
    _refuse_remote(written)
    path = PurePosixPath(written)
    windows = PureWindowsPath(written)
    if windows.drive or "\\" in written:
        raise InputError(
            f"{written!r} is a Windows path",
            hint="Write it relative to the case, with / between.",
        )
    if not allow_outside and path.is_absolute():
        raise InputError(
            f"{written!r} is an absolute path, expected one relative to the case", hint=_INSIDE
        )
    if not allow_outside and ".." in path.parts:
        raise InputError(f"{written!r} climbs out of a folder by '..'", hint=_INSIDE)
    root = folder.resolve()
    try:
        target = (root / path).resolve()
        there = _is_there(target)
    except OSError as error:
        raise InputError(f"{written[:80]!r} cannot be looked for: {error.strerror}", hint="Check its name, and whether the folder can be read.") from None  # fmt: skip
    if not allow_outside and not target.is_relative_to(root):
        raise InputError(
            f"{written!r} leads outside the case's folder by a symbolic link", hint=_INSIDE
        )
    if not allow_outside and there:
        _refuse_parts_outside(root, target)
    return target


def _is_there(target: Path) -> bool:
    """Whether a file is there; raises where nobody can tell, of which ``Path.exists`` of Python 3.14 says that it is not."""
    try:
        target.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _refuse_parts_outside(root: Path, target: Path) -> None:
    """Raise if a file that is read with another, as a Shapefile's table is, is a link that leads outside."""
    for file in files_behind(target):
        if not file.resolve().is_relative_to(root):
            raise InputError(
                f"{file.name}, which is read with {target.name}, leads outside the case's folder by a symbolic link",
                hint=_INSIDE,
            )


def _refuse_remote(written: str) -> None:
    driver = written.lstrip("/").lower().startswith("vsi") and written.startswith("/")
    if not driver and not _SCHEME.match(written) and not written.startswith("//"):
        return
    kind = (
        "a path of GDAL's own (/vsi...)" if driver else "a remote address or a driver's connection"
    )
    raise InputError(
        f"{written!r} is {kind}, expected a file on this machine",
        hint="Copy the file into the case's folder.",
    )
