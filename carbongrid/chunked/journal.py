"""What tiles have been finished: an interrupted run goes on where it stopped (docs/decisions/0026)."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from carbongrid.labels import files_of_window

Amounts = tuple[NDArray[np.uint64], NDArray[np.int64]]
Parts = list[tuple[Amounts, Amounts]]


class Tile(Protocol):
    """A piece of work on one block of the grid."""

    corner: tuple[int, int]
    shape: tuple[int, int]


def open_journal(journal: Path, store: Path, create: Callable[[], None]) -> None:
    """Make store and journal, unless an interrupted call left both, the store's own files as they were made."""
    begun = journal / "store"
    if begun.is_file() and begun.read_text() == _digest_of_empty(store):
        return
    for folder in (journal, store):
        shutil.rmtree(folder, ignore_errors=True)
    create()
    journal.mkdir()
    begun.write_text(_digest_of_empty(store))


def remembered(
    function: Callable[[Any], Parts], journal: Path, store: Path, names: Sequence[str], tile: Tile
) -> Parts:
    """Return function(tile), from the journal if the tile was finished and its labels are as it left them.

    Parameters
    ----------
    function
        Writes the tile's labels into the store and returns pairs of arrays.
    journal
        Folder with a file for each finished tile: its pairs, and the digest of the label files that it wrote.
    store
        The label store.
    names
        The variables that the function writes.
    tile
        Its corner tells it from the others.
    """
    entry = journal / f"{tile.corner[0]}-{tile.corner[1]}.npz"
    known = _read(entry)
    if known is not None and known[0] == _digest(store, names, tile):
        return known[1]
    parts = function(tile)
    arrays = {
        f"{i}-{place}-{column}": array
        for i, pair in enumerate(parts)
        for place, amounts in enumerate(pair)
        for column, array in enumerate(amounts)
    }
    digest = _digest(store, names, tile)
    beside = entry.with_suffix(f".{os.getpid()}.new")
    with beside.open("wb") as stream:
        np.savez(stream, allow_pickle=False, digest=np.array(digest), **arrays)
    beside.replace(entry)
    return parts


def _digest(store: Path, names: Sequence[str], tile: Tile) -> str:
    digest = hashlib.sha256()
    for name in names:
        for file in files_of_window(store, name, tile.corner, tile.shape):
            digest.update(file.read_bytes() if file.is_file() else b"")
            digest.update(file.relative_to(store).as_posix().encode())
    return digest.hexdigest()


def _digest_of_empty(store: Path) -> str:
    """Return the digest of all files of the store but the chunks of its rasters."""
    digest = hashlib.sha256()
    for file in sorted(store.rglob("*")):
        if file.is_file() and not ("c" in file.parts and len(file.relative_to(store).parts) == 4):
            digest.update(file.relative_to(store).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _read(entry: Path) -> tuple[str, Parts] | None:
    """Return digest and pairs of an entry; a torn or damaged one (zip's CRC tells) is none."""
    try:
        with np.load(entry, allow_pickle=False) as arrays:
            kinds = (len(arrays.files) - 1) // 4

            def amounts(kind: int, place: int) -> Amounts:
                return arrays[f"{kind}-{place}-0"], arrays[f"{kind}-{place}-1"]

            parts = [(amounts(kind, 0), amounts(kind, 1)) for kind in range(kinds)]
            return str(arrays["digest"]), parts
    except Exception:  # whatever a decoder says of damaged bytes
        return None
