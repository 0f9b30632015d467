"""How large the files of a case are once they are read: told from their headers alone."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS, Geod, Transformer

from carbongrid.io.fingerprints import files_behind
from carbongrid.io.reference import Bounds
from carbongrid.io.security import GEOTIFF, PARQUET, dataset_name, sniff_raster, sniff_vector

_GEOD = Geod(ellps="WGS84")


def unpacked_size(path: Path) -> int:
    """Return the bytes of a vector layer's files; of GeoParquet those before compression, as its footer says."""
    if path.is_file() and sniff_vector(path) == PARQUET:
        import pyarrow.parquet as parquet

        footer = parquet.read_metadata(path)
        return sum(footer.row_group(i).total_byte_size for i in range(footer.num_row_groups))
    return sum(file.stat().st_size for file in files_behind(path))


def geographic_bounds(path: Path, layer: str | None) -> Bounds | None:
    """Return west, south, east, north of a layer in degrees, from its header; None where the header does not say."""
    driver = sniff_vector(path)
    if driver == PARQUET:
        import pyarrow.parquet as parquet

        known = (parquet.read_metadata(path).metadata or {}).get(b"geo")
        about: dict[str, Any] = json.loads(known) if known else {}
        column = about.get("columns", {}).get(about.get("primary_column"), {})
        bounds, crs = column.get("bbox"), column.get("crs", "OGC:CRS84")
        crs = None if crs is None else CRS.from_user_input(crs)
    else:
        import pyogrio

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            info = pyogrio.read_info(dataset_name(path, driver), layer=layer)
        bounds, crs = info["total_bounds"], info["crs"] and CRS.from_user_input(info["crs"])
    if bounds is None or crs is None or len(bounds) != 4:
        return None
    return _transformed(tuple(bounds), crs, CRS.from_epsg(4326))


def extent(bounds: Bounds) -> tuple[float, float]:
    """Return the width, where it is largest, and the height of bounds in degrees, in m."""
    west, south, east, north = bounds
    widest = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    width = _GEOD.line_length((west, (west + east) / 2, east), (widest, widest, widest))
    height = _GEOD.line_length((west, west), (south, north))
    return float(width), float(height)


def raster_cells(path: Path, bounds: Bounds | None) -> int:
    """Return how many cells of a GeoTIFF lie in bounds in degrees; all of them without bounds."""
    import rasterio

    sniff_raster(path)
    with rasterio.open(path, driver=GEOTIFF) as raster:
        whole = int(raster.width) * int(raster.height)
        there = None
        if bounds is not None and raster.crs is not None:
            own = CRS.from_wkt(raster.crs.to_wkt())
            there = _transformed(bounds, CRS.from_epsg(4326), own)
        if there is None:
            return whole
        columns = (there[2] - there[0]) / abs(raster.transform.a) + 2
        rows = (there[3] - there[1]) / abs(raster.transform.e) + 2
        return min(whole, int(columns * rows))


def _transformed(bounds: Bounds, crs: CRS, target: CRS) -> Bounds | None:
    found = Transformer.from_crs(crs, target, always_xy=True).transform_bounds(*bounds)
    return found if np.isfinite(found).all() else None
