"""Writes a file that was not there, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbongrid.errors import InputError
from carbongrid.raster.opening.names import plain_folder


def require_new(path: Path) -> None:
    """Raise InputError if a file is there already, or its folder is not."""
    if path.exists():
        raise InputError("the file is there already", str(path), "Give another, or remove it.")
    if not path.parent.is_dir():
        raise InputError("there is no such folder", str(path.parent), "Make it first.")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes a file's name when all is written: a full disk leaves no half a file behind.

    Parameters
    ----------
    path
        The file; its folder is there.
    """
    with plain_folder(path.parent) as folder:
        partial = folder / f".partial-{path.name}"
        partial.unlink(missing_ok=True)
        yield partial
        partial.replace(folder / path.name)
