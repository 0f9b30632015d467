"""The three files of a Shapefile, held against each other."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from carbongrid.raster.opening.contradictions import contradiction, mapped
from carbongrid.raster.opening.files import read_bytes
from carbongrid.raster.opening.formats import files_behind

_HEAD = 100
_DELETED = 0x2A
_AFTER_THE_TABLE = b"\x1a\x00"
"""What programs write behind the last row of a .dbf."""
_END_OF_FIELDS, _TEXT = 0x0D, ord("C")
_NUMBERS = b"NF"

type Cells = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
"""Bytes of a field, shape (rows, width)."""


def rows_of_shapefile(path: Path) -> int:
    """Return how many rows a Shapefile holds that are not deleted.

    Raises
    ------
    InputError
        If its files tell different numbers, or the index points at what is no shape.
    """
    parts = {file.suffix.lower(): file for file in files_behind(path.resolve())}
    shapes = _require_places(parts[".shp"], parts[".shx"])
    rows, deleted = _rows_of_table(parts[".dbf"])
    if shapes != rows:
        raise contradiction(path, f"there are {shapes:,} shapes and {rows:,} rows in its table")
    return rows - deleted


def fields_of_numbers(path: Path, places: Iterable[int]) -> Iterator[Cells | None]:
    """Yield what stands in fields of a Shapefile, blank in rows that are deleted; None of a field whose numbers are not written in digits.

    Parameters
    ----------
    path
        The Shapefile, of which :func:`rows_of_shapefile` is known.
    places
        Of the fields, from 0.
    """
    (table_path,) = (file for file in files_behind(path.resolve()) if file.suffix.lower() == ".dbf")
    table = read_bytes(table_path)
    rows, head, width = struct.unpack_from("<IHH", table, 4)
    cells = np.frombuffer(table, np.uint8, rows * width, head).reshape(rows, width)
    deleted = cells[:, :1] == _DELETED
    for place in places:
        # As GDAL takes them, which knows no length over two bytes.
        start = 1 + sum(table[32 * before + 48] for before in range(place))
        field = cells[:, start : start + table[32 * place + 48]]
        in_digits = table[32 * place + 43] in _NUMBERS
        yield np.where(deleted, np.uint8(ord(" ")), field) if in_digits else None


def _rows_of_table(path: Path) -> tuple[int, int]:
    """Return how many rows a .dbf holds, and how many of them are deleted."""
    table = read_bytes(path)
    if len(table) < 32:
        raise contradiction(path, "it ends within its header")
    told, head, width = struct.unpack_from("<IHH", table, 4)
    body = len(table) - head
    if width < 1 or body < told * width or table[head + told * width :].strip(_AFTER_THE_TABLE):
        raise contradiction(
            path,
            f"its header says {told:,} rows of {width} bytes, but {body:,} bytes follow it",
        )
    of_fields = _widths_of_fields(table[:head])
    if width not in of_fields:
        raise contradiction(
            path, f"its fields take {min(of_fields)} bytes of a row, its rows have {width}"
        )
    return told, table[head : head + told * width : width].count(_DELETED)


def _widths_of_fields(head: bytes) -> set[int]:
    """Return how many bytes the fields take of a row: of long text some programs write the length over two bytes."""
    plain = longer = 1
    for place in range(32, len(head) - 31, 32):
        if head[place] == _END_OF_FIELDS:  # a description of the database may follow
            break
        plain += head[place + 16]
        longer += head[place + 16] + (256 * head[place + 17] if head[place + 11] == _TEXT else 0)
    return {plain, longer}


def _require_places(path: Path, index_path: Path) -> int:
    """Return how many shapes the index lists, each of which must be there, as long as it says."""
    index = read_bytes(index_path)
    for file, size, head in (
        (index_path, len(index), index),
        (path, path.stat().st_size, _head_of(path)),
    ):
        told = 2 * struct.unpack_from(">I", head, 24)[0] if len(head) >= _HEAD else 0
        if told != size:
            raise contradiction(file, f"its header says {told:,} bytes, there are {size:,}")
    if (len(index) - _HEAD) % 8:
        raise contradiction(index_path, "its last entry is cut off")
    listed = np.frombuffer(index, ">u4", offset=_HEAD).reshape(-1, 2).astype(np.int64)
    there = _shapes(path)
    entries = listed[listed.any(axis=1)]  # some programs list a missing shape as nothing at all
    at = np.searchsorted(there[:, 0], entries[:, 0]).clip(max=max(0, len(there) - 1))
    if len(entries) and not (len(there) and (there[at, :2] == entries).all()):
        raise contradiction(index_path, "it points at places where no shape begins, or at shapes of another length")  # fmt: skip
    if len(np.unique(entries[:, 0])) != len(entries):
        raise contradiction(index_path, "it lists a shape twice")
    # An editor leaves old shapes behind, under the numbers of those that took their place.
    if len(entries) not in (len(there), len(np.unique(there[:, 2]))):
        raise contradiction(path, f"there are {len(there):,} shapes, the .shx lists {len(entries):,}")  # fmt: skip
    return len(listed)


def _head_of(path: Path) -> bytes:
    with mapped(path) as data:
        return data[:_HEAD]


def _shapes(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return where each shape begins, its length (both in words of two bytes) and its number, from the first to the end."""
    found = []
    with mapped(path) as data:
        place = _HEAD
        while place + 8 <= len(data):
            number, words = struct.unpack_from(">II", data, place)
            found.append((place // 2, words, number))
            place += 8 + 2 * words
        if place != len(data):
            raise contradiction(path, f"its last shape ends at byte {place:,} of {len(data):,}")
    return np.array(found, np.int64).reshape(-1, 3)
