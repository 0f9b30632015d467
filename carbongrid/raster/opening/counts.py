"""How many rows a layer has, counted in the file itself.

A header may say another number, and GDAL's readers stop where it says so. What is counted here is what stands there: the
rows of the table in a GeoPackage, the bytes of a Shapefile's records, the features of a FlatGeobuf one after the other, the
members of a GeoJSON's features, of which GDAL passes over what is no feature.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from carbongrid.raster.opening.contradictions import contradiction, mapped
from carbongrid.raster.opening.formats import FLATGEOBUF, GEOJSON, GPKG, SHAPEFILE
from carbongrid.raster.opening.geojson import members_of_features
from carbongrid.raster.opening.geopackages import rows_of_geopackage
from carbongrid.raster.opening.shapefiles import rows_of_shapefile


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
        return rows_of_geopackage(path, layer)
    if driver == SHAPEFILE:
        return rows_of_shapefile(path)
    if driver == FLATGEOBUF:
        return _rows_of_flatgeobuf(path)
    if driver == GEOJSON:
        return members_of_features(path)
    return None


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
