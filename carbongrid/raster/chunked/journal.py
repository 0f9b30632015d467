"""What tiles have been finished: an interrupted run goes on where it stopped (docs/decisions/0026)."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.label_store import files_of_window
from carbongrid.raster.opening.files import read_bytes, read_text
from carbongrid.raster.opening.stores import open_arrays

Amounts = tuple[NDArray[np.uint64], NDArray[np.int64]]
Parts = list[tuple[Amounts, Amounts]]

_BEGUN = "begun"


class Tile(Protocol):
    """A piece of work on one block of the grid."""

    corner: tuple[int, int]
    shape: tuple[int, int]


@dataclass(frozen=True)
class Journal:
    """What one attempt at a label store writes, where no other attempt writes.

    Parameters
    ----------
    folder
        Of this attempt, by a name that no other bears: holds the entries of finished tiles, and the store.
    store
        The label store while it is made.
    key
        Hash of what the labels are made from; stands in every entry.
    """

    folder: Path
    store: Path
    key: str

    def close(self, store: Path) -> None:
        """Put the finished store where it belongs; the entries stay until the caller removes them."""
        self.store.rename(store)


def open_journal(journal: Path, store: Path, key: str, create: Callable[[Path], None]) -> Journal:
    """Make a folder for this attempt, with an empty store or with what an interrupted attempt left.

    What is left is taken over by renaming its folder, so that tasks of the older attempt that still run somewhere find
    their paths gone and can write nothing into this one.

    Parameters
    ----------
    journal
        Folder of the attempts.
    store
        Where the finished store goes; one that is there belongs to the attempt that is left.
    key
        Hash of what the labels are made from; what was left by another is thrown away.
    create
        Makes an empty store at a path.
    """
    new = Journal(*_places(journal / uuid.uuid4().hex, store), key)
    left = [each for each in journal.iterdir() if each.is_dir()] if journal.is_dir() else []
    for each in left:
        if not new.folder.exists() and _is_sound(Journal(*_places(each, store), key), store):
            each.rename(new.folder)
            if not new.store.exists():
                store.rename(new.store)
        else:
            _take_away(each)
    _take_away(store)
    if not new.folder.exists():
        new.folder.mkdir(parents=True)
        create(new.store)
        begun = new.folder / _BEGUN
        beside = begun.with_suffix(".new")
        beside.write_text(key + _digest_of_empty(new.store), encoding="utf-8")
        beside.replace(begun)
    return new


def _places(folder: Path, store: Path) -> tuple[Path, Path]:
    return folder, folder / store.name


def _is_sound(left: Journal, store: Path) -> bool:
    """Tell whether an attempt was at the same, and its store's own files are as they were made."""
    begun = left.folder / _BEGUN
    made = left.store if left.store.exists() else store
    return begun.is_file() and read_text(begun) == left.key + _digest_of_empty(made)


def _take_away(folder: Path) -> None:
    """Remove a folder into which a task may still write: its name goes first."""
    if folder.exists():
        gone = folder.with_name(f".{uuid.uuid4().hex}.gone")
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def remembered(
    function: Callable[[Any], Parts], journal: Journal, names: Sequence[str], tile: Tile
) -> Parts:
    """Return function(tile), from the journal if the tile was finished and its labels are as it left them.

    Parameters
    ----------
    function
        Writes the tile's labels into the journal's store and returns pairs of arrays.
    journal
        Has a file for each finished tile: its pairs, the key, and the digest of the label files that it wrote.
    names
        The variables that the function writes.
    tile
        Its corner tells it from the others.
    """
    store = journal.store
    entry = journal.folder / f"{tile.corner[0]}-{tile.corner[1]}.npz"
    known = _read(entry)
    if known is not None and known[0] == journal.key + _digest(store, names, tile):
        return known[1]
    parts = function(tile)
    arrays = {
        f"{i}-{place}-{column}": array
        for i, pair in enumerate(parts)
        for place, amounts in enumerate(pair)
        for column, array in enumerate(amounts)
    }
    digest = journal.key + _digest(store, names, tile)
    beside = entry.with_suffix(f".{os.getpid()}.new")
    with beside.open("wb") as stream:
        np.savez(stream, allow_pickle=False, digest=np.array(digest), **arrays)
    beside.replace(entry)
    return parts


def _digest(store: Path, names: Sequence[str], tile: Tile) -> str:
    digest = hashlib.sha256()
    for name in names:
        for file in files_of_window(store, name, tile.corner, tile.shape):
            digest.update(read_bytes(file) if file.is_file() else b"")
            digest.update(file.relative_to(store).as_posix().encode())
    return digest.hexdigest()


def _digest_of_empty(store: Path) -> str:
    """Return the digest of all files of the store but the chunks of its rasters."""
    digest = hashlib.sha256()
    for file in sorted(store.rglob("*")):
        if file.is_file() and not ("c" in file.parts and len(file.relative_to(store).parts) == 4):
            digest.update(file.relative_to(store).as_posix().encode() + read_bytes(file))
    return digest.hexdigest()


def _read(entry: Path) -> tuple[str, Parts] | None:
    """Return digest and pairs of an entry; a torn or damaged one (zip's CRC tells) is none."""
    try:
        with open_arrays(entry) as arrays:
            kinds = (len(arrays.files) - 1) // 4

            def amounts(kind: int, place: int) -> Amounts:
                return arrays[f"{kind}-{place}-0"], arrays[f"{kind}-{place}-1"]

            parts = [(amounts(kind, 0), amounts(kind, 1)) for kind in range(kinds)]
            return str(arrays["digest"]), parts
    except Exception:  # whatever a decoder says of damaged bytes
        return None
