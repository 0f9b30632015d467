"""Digests of files and folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

from carbongrid.raster.opening.files import open_file, require_regular_tree
from carbongrid.raster.row_blocks import go_on

_AT_ONCE = 2**23
"""Bytes of a piece: between two the thread waits for Python's lock, 5 ms where another holds it."""


def hash_path(path: Path) -> str:
    """Return the sha256 of a file, or of a folder's relative names and files in order.

    Raises
    ------
    OSError
        If there is none, or it is neither; a pipe or a device may be read without end.
    CancelledError
        In a thread for which nobody waits any more (:func:`carbongrid.raster.row_blocks.go_on`).
    """
    digest = hashlib.sha256()
    if path.is_dir():
        require_regular_tree(path)
        for file in sorted(path.rglob("*")):
            if file.is_file():
                digest.update(file.relative_to(path).as_posix().encode() + b"\0")
                digest.update(hash_path(file).encode() + b"\0")
        return digest.hexdigest()
    with open_file(path) as stream:
        piece = memoryview(bytearray(min(path.stat().st_size + 1, _AT_ONCE)))
        while length := stream.readinto(piece):
            digest.update(piece[:length])
            go_on()
    return digest.hexdigest()
