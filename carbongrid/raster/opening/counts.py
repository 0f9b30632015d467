"""How many rows a layer has, counted in the file itself.

A header may say another number, and GDAL's readers stop where it says so. What is counted here is what stands there: the
rows of the table in a GeoPackage, the bytes of a Shapefile's records, the features of a FlatGeobuf one after the other, the
members of a GeoJSON's features, of which GDAL passes over what is no feature.
"""

from __future__ import annotations

import mmap
import os
import re
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from carbongrid.errors import InputError
from carbongrid.raster.opening.contradictions import contradiction, mapped
from carbongrid.raster.opening.formats import FLATGEOBUF, GEOJSON, GPKG, SHAPEFILE, files_behind
from carbongrid.raster.opening.geojson import members_of_features
from carbongrid.raster.opening.shapefiles import rows_of_shapefile

MAX_PATH = 512
"""Bytes of a path that SQLite opens; GDAL, with a file system of its own, opens longer ones."""

_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL", re.IGNORECASE)
_AGAIN = "Write it again with the program that it comes from, or with QGIS."


def rows_in_file(path: Path, driver: str, layer: str) -> int | None:
    """Return the number of a layer's rows without asking its header; None of a format that has no such header.

    Parameters
    ----------
    path
        The file.
    driver
        GDAL's name of its format.
    layer
        Of a GeoPackage, which holds several.

    Raises
    ------
    InputError
        If the parts of the file contradict each other, or the layer is no table.
    """
    if driver == GPKG:
        return _rows_of_geopackage(path, layer)
    if driver == SHAPEFILE:
        return rows_of_shapefile(path)
    if driver == FLATGEOBUF:
        return _rows_of_flatgeobuf(path)
    if driver == GEOJSON:
        return members_of_features(path)
    return None


@contextmanager
def geopackage(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage for reading only, its log of changes included where there is one.

    Raises
    ------
    InputError
        If its path is too long, or SQLite cannot read what is asked of it.
    """
    path = path.resolve()
    if (size := len(os.fsencode(path))) > MAX_PATH:
        raise InputError(
            f"its path has {size} bytes, and a GeoPackage is opened by paths of at most {MAX_PATH}",
            path.name,
            "Put it into a folder with a shorter path.",
        )
    logged = len(files_behind(path)) > 1
    address = f"file:{quote(str(path))}?{'mode=ro' if logged else 'immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise InputError(f"the file cannot be read: {error}", path.name, _AGAIN) from None


def _rows_of_geopackage(path: Path, layer: str) -> int:
    with geopackage(path) as connection:
        name = layer.replace('"', '""')
        # Of this table only: of all with its indexes it takes six times as long, as long as reading the layer.
        damage = connection.execute(f'PRAGMA quick_check("{name}")').fetchone()[0]
        if damage != "ok":
            raise contradiction(path, " ".join(str(damage).split()))
        # Of the table itself: an index is another list of the rows.
        rows = connection.execute(f'SELECT COUNT(*) FROM "{name}" NOT INDEXED')  # noqa: S608  (quoted)
        return int(rows.fetchone()[0])


def require_tables(path: Path) -> None:
    """Raise unless every layer of a GeoPackage is a table: a view may be computed without end, a virtual table by a module of its own.

    Raises
    ------
    InputError
        Naming the layer.
    """
    with geopackage(path) as connection:
        layers = connection.execute("SELECT table_name FROM gpkg_contents").fetchall()
        made = connection.execute("SELECT lower(name), type, sql FROM sqlite_master").fetchall()
    tables = {name for name, kind, sql in made if kind == "table" and not _VIRTUAL.match(sql or "")}
    for (layer,) in layers:
        if str(layer).lower() not in tables:
            raise InputError(
                f"layer {layer!r} is no table, but computed when it is read (a view)",
                path.name,
                "Save it as a layer of its own, and remove the view.",
            )


def _rows_of_flatgeobuf(path: Path) -> int:
    with mapped(path) as data:
        try:
            told, place = _head_of_flatgeobuf(data)
            rows = 0
            while place < len(data):
                place += 4 + struct.unpack_from("<I", data, place)[0]
                rows += 1
        except struct.error:
            raise contradiction(path, "it ends within a header") from None
        if place != len(data):
            raise contradiction(path, f"its last row ends at byte {place:,} of {len(data):,}")
        if told not in (0, rows):  # 0 stands for an unknown number
            raise contradiction(path, f"its header says {told:,} rows, there are {rows:,}")
        return rows


def _head_of_flatgeobuf(data: mmap.mmap) -> tuple[int, int]:
    """Return the number of rows that the header tells, and where the first one stands, after the index."""
    size = struct.unpack_from("<I", data, 8)[0]
    table = 12 + struct.unpack_from("<I", data, 12)[0]
    fields = table - struct.unpack_from("<i", data, table)[0]
    entries = (struct.unpack_from("<H", data, fields)[0] - 4) // 2

    def value(entry: int, kind: str, default: int) -> int:
        place = struct.unpack_from("<H", data, fields + 4 + 2 * entry)[0] if entry < entries else 0
        return int(struct.unpack_from(kind, data, table + place)[0]) if place else default

    told, of_a_node = value(8, "<Q", 0), value(9, "<H", 16)
    return told, 12 + size + _size_of_index(told, of_a_node)


def _size_of_index(rows: int, of_a_node: int) -> int:
    """Return the bytes of a packed R-tree, 40 for each box at each level; a file without one says 0 to a node."""
    if not rows or of_a_node < 2:
        return 0
    boxes, level = rows, -(-rows // of_a_node)
    while level > 1:
        boxes += level
        level = -(-level // of_a_node)
    return 40 * (boxes + 1)  # the root is there even above a single row
