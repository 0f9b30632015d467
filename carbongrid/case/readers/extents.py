"""How large the files of a case are once they are read: told from their headers, without holding them."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import numpy as np
from pyproj import CRS, Geod

from carbongrid.case.readers.grid_crs import Bounds, transformer_between
from carbongrid.case.readers.parquet_extents import decoded_size, geometry_about, scanned_bounds
from carbongrid.case.values import TABLE_SUFFIXES
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.formats import FILEGDB, GEOJSON, PARQUET, files_behind, sniff_vector
from carbongrid.raster.opening.vectors import open_vector
from carbongrid.raster.plane_files import open_plane

_GEOD = Geod(ellps="WGS84")
_OF_A_SOLID = 6

_PER_STORED_BYTE = {FILEGDB: 8, GEOJSON: 3}
"""Bytes of coordinates that a stored byte may become: a vertex is two short differences, or ``[1,2],``; 16 once it is read."""


def unpacked_size(path: Path) -> int:
    """Return about the bytes of what a file holds, before compression and with coordinates as pairs of float64; 0 of a missing one."""
    if not path.exists():
        return 0
    size = sum(file.stat().st_size for file in files_behind(path))
    if path.is_file() and (unpacked := _unpacked(path)) is not None:
        return unpacked
    if path.is_file() and _is_text(path):
        return size
    driver = sniff_vector(path)
    return decoded_size(path) if driver == PARQUET else size * _PER_STORED_BYTE.get(driver, 1)


def _unpacked(path: Path) -> int | None:
    """Return what an archive unpacks to; None of another file."""
    with open_file(path) as stream:
        if not zipfile.is_zipfile(stream):
            return None
        with zipfile.ZipFile(stream) as archive:
            return sum(entry.file_size for entry in archive.infolist())


def _is_text(path: Path) -> bool:
    return path.suffix.lower() in TABLE_SUFFIXES


def geographic_bounds(path: Path, layer: str | None) -> Bounds | None:
    """Return west, south, east, north of a layer in degrees: from its header, or by looking at its geometries one after the other.

    None where there is no CRS or no geometry, of which the readers say more.
    """
    driver = sniff_vector(path)
    if driver == PARQUET:
        name, about = geometry_about(path)
        bounds, crs = about.get("bbox"), about.get("crs", "OGC:CRS84")
        crs = None if crs is None else crs_of(crs, path.name)
        if bounds is not None and len(bounds) == _OF_A_SOLID:
            bounds = [*bounds[:2], *bounds[3:5]]
        if bounds is None and about.get("encoding") == "WKB":
            bounds = scanned_bounds(path, name)
    else:
        with warnings.catch_warnings(), open_vector(path) as file:
            warnings.simplefilter("ignore")
            info = file.info(layer, force_total_bounds=True)
        bounds, crs = info["total_bounds"], info["crs"] and crs_of(info["crs"], path.name)
    if bounds is None or crs is None or not np.isfinite(bounds).all():
        return None
    return _transformed(tuple(bounds), crs, CRS.from_epsg(4326))


def stored_crs(path: Path, layer: str | None) -> CRS | None:
    """Return the CRS that a layer's header names; None where it names none."""
    if sniff_vector(path) == PARQUET:
        stored = geometry_about(path)[1].get("crs", "OGC:CRS84")
    else:
        with warnings.catch_warnings(), open_vector(path) as file:
            warnings.simplefilter("ignore")
            stored = file.info(layer)["crs"]
    return crs_of(stored, path.name) if stored else None


def extent(bounds: Bounds) -> tuple[float, float]:
    """Return the width, where it is largest, and the height of bounds in degrees, in m."""
    west, south, east, north = bounds
    east += 360 * (east < west)  # across the antimeridian
    widest = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    width = _GEOD.line_length((west, (west + east) / 2, east), (widest, widest, widest))
    height = _GEOD.line_length((west, west), (south, north))
    return float(width), float(height)


def raster_cells(path: Path, bounds: Bounds | None) -> int:
    """Return how many cells of a raster lie in bounds in degrees; all of them without bounds."""
    with open_plane(path) as raster:
        whole = int(raster.width) * int(raster.height)
        there = None
        if bounds is not None and raster.crs is not None:
            there = _transformed(bounds, CRS.from_epsg(4326), raster.crs)
        if there is None or there[2] < there[0]:
            return whole
        columns = (there[2] - there[0]) / abs(raster.transform.a) + 2
        rows = (there[3] - there[1]) / abs(raster.transform.e) + 2
        return min(whole, int(columns * rows))


def _transformed(bounds: Bounds, crs: CRS, target: CRS) -> Bounds | None:
    found = transformer_between(crs, target).transform_bounds(*bounds)
    return found if np.isfinite(found).all() else None
