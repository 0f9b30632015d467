"""Columns of numbers in formats that let text stand in them, of which GDAL reads the digits in front, or 0."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.opening.formats import GPKG, SHAPEFILE
from carbongrid.raster.opening.geopackages import geopackage
from carbongrid.raster.opening.shapefiles import Cells, fields_of_numbers

_WAY_OUT = "Write numbers with a point and nothing between thousands, and leave blank what has none; or store the column as text."
_WAY_OUT_OF_WHOLE = "Write whole numbers with nothing between thousands, and leave blank what has none; or store the column as one of larger or of decimal numbers, or as text."

_KINDS = ("int", "uint", "float")
_ROWS_AT_ONCE = 65536
_FRACTION = rb"[ \t]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[ ]*[+-]?inf(?:inity)?|[ ]*-?1\.#inf[0-9]*"
_WHOLE = rb"[ \t]*[+-]?[0-9]+(?:\.0*)?"
"""GDAL reads no further than a point in a column that is declared without decimals."""


_UNKNOWN = re.compile(
    r"(?:[+-]?(?:nan(?:\((?:ind|snan)\))?|1\.#(?:ind|[qs]nan)[0-9]*))?", re.IGNORECASE
)
"""What C programs write of a number that is none, or nothing behind a tab: with one sign or another GDAL reads 0 or 1 of most."""


def _rows_of(number: bytes) -> re.Pattern[bytes]:
    """Match rows, one a line, up to the first that is neither a number (a NUL ends its text) nor blank, as all is that begins with an asterisk."""
    return re.compile(rb"(?:(?:(?:%s)[ \t]*(?:\0.*)?|[ ]*(?:\*.*|[ \0]*))\n)*+" % number, re.IGNORECASE)  # fmt: skip


_ROWS = {True: _rows_of(_WHOLE), False: _rows_of(_FRACTION)}


class NumberColumn(NamedTuple):
    """A column that GDAL reads as numbers.

    Parameters
    ----------
    name
        Of the column.
    place
        From 0, among all of the layer.
    kind
        Of its numbers in memory.
    """

    name: str
    place: int
    kind: np.dtype[np.generic]

    @property
    def whole(self) -> bool:
        """Whether its numbers are integers."""
        return self.kind.kind in "iu"


def number_columns(
    names: Iterable[object], kinds: Iterable[object], wanted: Iterable[str] | None
) -> list[NumberColumn]:
    """Return the columns of numbers among those of a layer that are wanted; all if None."""
    every = enumerate(zip(map(str, names), map(str, kinds), strict=True))
    chosen = None if wanted is None else {*wanted}
    return [
        NumberColumn(name, place, np.dtype(kind))
        for place, (name, kind) in every
        if kind.startswith(_KINDS) and (chosen is None or name in chosen)
    ]


def blank_numbers(
    path: Path, driver: str, layer: str, columns: list[NumberColumn]
) -> dict[str, list[int]]:
    """Return the feature ids (fid) of rows without a number, by column: their cells hold blank text, or a word such as ``nan``, of which GDAL may read 0 or 1.

    Parameters
    ----------
    path
        The file.
    driver
        GDAL's name of its format.
    layer
        Of a GeoPackage, which holds several.
    columns
        Those that are read.

    Raises
    ------
    InputError
        If one of them holds text that is no number, or a number that does not go into the column.
    """
    if driver == GPKG and columns:
        return _blank_in_geopackage(path, layer, columns)
    if driver == SHAPEFILE and columns:
        return _blank_in_shapefile(path, columns)
    return {}


def _blank_in_shapefile(path: Path, columns: list[NumberColumn]) -> dict[str, list[int]]:
    fields = fields_of_numbers(path, [column.place for column in columns])
    found = {
        column.name: list(_rows_without_number(path, column, cells))
        for column, cells in zip(columns, fields, strict=True)
        if cells is not None
    }
    return {name: rows for name, rows in found.items() if rows}


def _rows_without_number(path: Path, column: NumberColumn, cells: Cells) -> Iterator[int]:
    width = cells.shape[1] + 1
    for start in range(0, len(cells), _ROWS_AT_ONCE):
        block = cells[start : start + _ROWS_AT_ONCE]
        lines = np.full((len(block), width), ord("\n"), dtype=np.uint8)
        lines[:, :-1] = np.where(block == ord("\n"), ord("?"), block)
        data, row = lines.tobytes(), 0
        while good := _ROWS[column.whole].match(data, row * width):
            row = good.end() // width
            if row == len(block):
                break
            text = block[row].tobytes().partition(b"\0")[0].strip().decode("latin-1")
            if not _UNKNOWN.fullmatch(text):
                raise _no_number(path, column, text, f"row {start + row + 1:,}")
            yield start + row
            row += 1


def _blank_in_geopackage(
    path: Path, layer: str, columns: list[NumberColumn]
) -> dict[str, list[int]]:
    blank: dict[str, list[int]] = {}
    with geopackage(path) as connection:
        # SQLite's own name of it, unless another column is called so.
        keys = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk AND upper(type) = 'INTEGER'", (layer,))  # fmt: skip
        key = next((str(name).replace('"', '""') for (name,) in keys), "_rowid_")
        for column in columns:
            name, of = (text.replace('"', '""') for text in (column.name, layer))
            kinds = "'integer', 'null'" + ("" if column.whole else ", 'real'")
            odd = f'typeof("{name}") NOT IN ({kinds})'
            if column.whole:
                limits = np.iinfo(column.kind)  # type: ignore[type-var]
                odd += f' OR "{name}" NOT BETWEEN {limits.min} AND {limits.max}'
            # Names are quoted, and parameters cannot stand for them.
            asked = f'SELECT "{key}", "{name}" FROM "{of}" NOT INDEXED WHERE {odd}'  # noqa: S608
            for row, value in connection.execute(asked):
                if not isinstance(value, str) or value.strip():
                    raise _no_number(path, column, value, f"row {row:,} (fid)")
                blank.setdefault(column.name, []).append(row)
    return blank


def _no_number(path: Path, column: NumberColumn, value: object, row: str) -> InputError:
    kind = "whole numbers" if column.whole else "numbers"
    what = f"column {column.name!r} is one of {kind}, and {value!r} in it would be read as another number"
    hint = _WAY_OUT_OF_WHOLE if column.whole else _WAY_OUT
    return InputError(what, f"{path.name}, {row}", hint)
