"""What is told of a file whose parts do not fit each other, and the bytes in which that is looked for."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import open_file

AGAIN = "Write it again with the program that it comes from, or with QGIS."


def contradiction(path: Path, what: str) -> InputError:
    """Return the error of a file that contradicts itself."""
    return InputError(f"the file contradicts itself: {what}", path.name, AGAIN)


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """Give the bytes of a file without reading them all.

    Raises
    ------
    InputError
        If it is empty.
    """
    with open_file(path) as stream:
        try:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise contradiction(path, "it is empty") from None
        with data:
            yield data
