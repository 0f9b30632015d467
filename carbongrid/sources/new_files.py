"""Writes a file that was not there, whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import path_to_write
from carbongrid.raster.opening.names import plain_folder


def require_new(path: Path) -> None:
    """Raise InputError if a file is there already, its folder is not, or the path is an address."""
    path_to_write(path)
    if path.exists():
        raise InputError("the file is there already", str(path), "Give another, or remove it.")
    if not path.parent.is_dir():
        raise InputError("there is no such folder", str(path.parent), "Make it first.")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes a file's name when all is written.

    Whatever goes wrong, a full disk or an interrupt, leaves nothing behind, nor what a driver writes beside the file.

    Parameters
    ----------
    path
        The file; its folder is there.

    Raises
    ------
    InputError
        If somebody made a file of that name in the meantime; it stays as it is.
    """
    with (
        plain_folder(path.parent) as folder,
        tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as made,
    ):
        partial = Path(made) / f"whole{path.suffix}"
        yield partial
        _move(partial, path)


def _move(partial: Path, path: Path) -> None:
    """Give a file its name, over nothing: the name is taken first, since a rename asks nobody, and links are not everywhere."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        require_new(path)
        raise
    try:
        partial.replace(path)
    except BaseException:
        path.unlink()
        raise
