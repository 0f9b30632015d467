"""People around the units, cut out of a raster: its cells as they are."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError
from rasterio.windows import Window

from carbongrid.errors import InputError, Problem
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.rasters import open_raster
from carbongrid.raster.windows import band_problems

_ROWS = 1024


def cut_people(raster: Path, units: gpd.GeoDataFrame, path: Path) -> Problem:
    """Write the cells of a raster of people that lie around units; return what to say of them.

    Parameters
    ----------
    raster
        GeoTIFF of people per cell, such as WorldPop or GHS-POP.
    units
        Whose people they are.
    path
        The file that is written: the same numbers on the same cells, whatever stands for unknown.

    Raises
    ------
    InputError
        If the raster cannot be read, has no CRS, or lies elsewhere.
    """
    try:
        with open_raster(raster) as source:
            problems = [*band_problems(source, raster.name)]
            if source.crs is None:
                problems.append(Problem("the raster has no CRS", raster.name, "gdal_edit.py -a_srs EPSG:... FILE"))  # fmt: skip
            if problems:
                raise InputError(problems)
            window = _around(source, units, raster.name)
            _write(source, window, path)
    except RasterioError as error:
        hint = "It may be damaged or cut off: copy it again."
        raise InputError(f"the raster cannot be read: {error}", raster.name, hint) from None
    what = f"people are those of {raster.name}, {window.height} x {window.width} cells of it around the units"
    return Problem(what, level="note")


def _around(source: rasterio.DatasetReader, units: gpd.GeoDataFrame, name: str) -> Window:
    """Return the cells that hold all units, and one more on each side where there are any."""
    corners = shapely.get_coordinates(units.geometry.to_crs(crs_of(source.crs)).to_numpy())
    back, (x, y) = ~source.transform, corners.T
    columns, rows = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    ends = []
    for places, most in ((rows, source.height), (columns, source.width)):
        first = max(int(np.floor(places.min())) - 1, 0)
        last = min(int(np.ceil(places.max())) + 1, most)
        if first >= last:
            what = "the raster of people does not reach the units of the extract"
            raise InputError(what, name, "gdalinfo tells where it lies.")
        ends.append((first, last))
    (top, bottom), (left, right) = ends
    return Window(left, top, right - left, bottom - top)


def _write(source: rasterio.DatasetReader, window: Window, path: Path) -> None:
    profile = {
        "driver": "GTiff",
        "height": window.height,
        "width": window.width,
        "count": 1,
        "dtype": source.dtypes[0],
        "crs": source.crs,
        "transform": source.window_transform(window),
        "nodata": source.nodata,
        "compress": "deflate",
    }
    masked = MaskFlags.per_dataset in source.mask_flag_enums[0]
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as target:
        target.scales, target.offsets = source.scales[:1], source.offsets[:1]
        for first in range(0, window.height, _ROWS):
            rows = min(_ROWS, window.height - first)
            here = Window(window.col_off, window.row_off + first, window.width, rows)
            there = Window(0, first, window.width, rows)
            target.write(source.read(1, window=here), 1, window=there)
            if masked:
                target.write_mask(source.read_masks(1, window=here), window=there)
