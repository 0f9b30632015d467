"""Bytes changed in the headers of small files, and what reading them gives: the same, or an error in words."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
import rasterio.errors
import shapely
from rasterio.transform import from_origin

from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError
from carbongrid.raster.opening.rasters import open_raster

ROWS = 12
Flips = Sequence[tuple[int, int]]
"""Places, counted over the bytes of the headers and from the start again, and what is xored there."""


def _layer() -> gpd.GeoDataFrame:
    geometry = [shapely.box(k, 0, k + 1, 1) for k in range(ROWS)]
    names = [f"parcel {k:02}" for k in range(ROWS)]
    return gpd.GeoDataFrame({"id": names, "size": np.arange(ROWS)}, geometry=geometry, crs=4326)


def written(folder: Path) -> dict[str, Path]:
    """Write one file of each format; return them by their names."""
    layer = _layer()
    files = {name: folder / f"a.{name}" for name in ("gpkg", "shp", "fgb", "plain.fgb", "parquet", "tif")}  # fmt: skip
    for name in ("gpkg", "shp"):
        layer.to_file(files[name], layer="a")
    for name, index in (("fgb", "YES"), ("plain.fgb", "NO")):
        pyogrio.write_dataframe(layer, files[name], driver="FlatGeobuf", SPATIAL_INDEX=index)
    layer.to_parquet(files["parquet"])
    with rasterio.open(
        files["tif"], "w", driver="GTiff", width=40, height=30, count=1, dtype="float32", blockysize=4,
        crs="EPSG:4528", transform=from_origin(40_500_000, 3_430_000, 100, 100),
    ) as raster:  # fmt: skip
        raster.write(np.arange(1200, dtype="float32").reshape(1, 30, 40))
    return files


def headers_of(path: Path, name: str) -> list[tuple[Path, range]]:
    """Return where the numbers of a file's headers stand: counts, sizes, offsets."""
    data = path.read_bytes()
    if name == "shp":
        parts = [path.with_suffix(suffix) for suffix in (".shp", ".shx", ".dbf")]
        index = len(parts[1].read_bytes())
        lengths = [(parts[2], range(32 + 32 * field + 16, 32 + 32 * field + 17)) for field in (0, 1)]  # fmt: skip
        return [(parts[0], range(24, 28)), (parts[1], range(24, 28)), (parts[1], range(100, index)), (parts[2], range(4, 12)), *lengths]  # fmt: skip
    if name == "gpkg":
        return [(path, range(100)), *((path, range(page, page + 16)) for page in range(4096, len(data), 4096))]  # fmt: skip
    if name.endswith("fgb"):
        size = struct.unpack_from("<I", data, 8)[0]
        count = data.index(struct.pack("<Q", ROWS), 12)
        return [(path, range(8, 16)), (path, range(count, count + 8)), *_parts_of_flatgeobuf(path, data, 12 + size, name)]  # fmt: skip
    if name == "parquet":
        footer = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
        return [(path, range(footer, len(data)))]
    start = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, start)[0]
    return [(path, range(8)), (path, range(start, start + 2 + 12 * entries))]


def _parts_of_flatgeobuf(path: Path, data: bytes, end: int, name: str) -> list[tuple[Path, range]]:
    """Return where its index stands, and the lengths before its features; what is in them is no header."""
    first = end + (0 if name.startswith("plain") else 40 * (ROWS + 1))
    parts, place = [(path, range(end, first))], first
    while place < len(data):
        parts.append((path, range(place, place + 4)))
        place += 4 + struct.unpack_from("<I", data, place)[0]
    return parts


def changed(path: Path, name: str, flips: Flips) -> None:
    """Change bytes of the headers in place."""
    places = [(file, place) for file, numbers in headers_of(path, name) for place in numbers]
    for number, other in flips:
        file, place = places[number % len(places)]
        data = bytearray(file.read_bytes())
        data[place] ^= other
        file.write_bytes(data)


def rows_of(table: gpd.GeoDataFrame) -> list[tuple[object, bytes]]:
    """Return a table's ids and shapes, in order."""
    ids = table[table.columns[0]].astype(object)
    return list(zip(ids, shapely.to_wkb(table.geometry.to_numpy()), strict=True))


def content_of(path: Path, name: str) -> list[tuple[object, bytes]]:
    """Read a file as the package does."""
    if name == "tif":
        with open_raster(path) as raster:
            try:
                values = raster.read(1)
            except rasterio.errors.RasterioError as error:
                raise InputError(str(error)) from None
            return [(values.shape, values.tobytes())]
    return rows_of(read_vector(path, "a" if name == "gpkg" else None))


def scanned(path: Path, name: str) -> Iterator[list[tuple[object, bytes]]]:
    """Yield what a full scan finds by other means, where there is one."""
    if name == "gpkg":
        try:
            with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
                found = database.execute("SELECT id, geom FROM a").fetchall()
            yield [(key, shapely.to_wkb(shapely.from_wkb(blob[40:]))) for key, blob in found]
        except Exception:  # no table for SQLite either
            return


def fault(files: dict[str, Path], name: str, flips: Flips, folder: Path) -> str:
    """Return what is wrong with the reading of a changed file; blank if nothing is."""
    original = files[name]
    for file in original.parent.glob(f"{original.stem}.*"):
        shutil.copy(file, folder / file.name)
    path = folder / original.name
    expected = content_of(path, name)
    changed(path, name, flips)
    try:
        found = content_of(path, name)
    except InputError:
        return ""
    except rasterio.errors.RasterioError:
        return ""
    if found == expected or found in list(scanned(path, name)):
        return ""
    return f"{name}, {list(flips)}: {len(found)} rows, {sum(a != b for a, b in zip(found, expected, strict=False))} differ"
