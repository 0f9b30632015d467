"""People around the units, cut out of a raster: its cells as they are."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.errors import RasterioError
from rasterio.windows import Window

from carbongrid.case.readers.located import PER_ONE
from carbongrid.case.readers.people import (
    AROUND,
    crs_of_people,
    notes_on_description,
    read_people_grid,
    window_of_people,
)
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.weights import locate, people_points
from carbongrid.raster.opening.formats import sniff_raster
from carbongrid.raster.opening.rasters import has_mask, open_raster
from carbongrid.raster.plane_files import open_plane
from carbongrid.sources.new_files import written_whole

_ROWS = 1024
_WHOLE = 0.99
"""A unit of which less than this lies on the raster is told."""


def require_people(raster: Path) -> None:
    """Raise InputError unless a file is a raster that a case takes its people from; its values are not read."""
    sniff_raster(raster)  # whose cells are cut out as they are stored
    try:
        with open_plane(raster) as plane:
            crs_of_people(plane, raster.name)
    except RasterioError as error:
        raise _unreadable(error, raster) from None


def cut_people(raster: Path, units: gpd.GeoDataFrame, path: Path) -> list[Problem]:
    """Write the cells of a raster of people that lie around units; return what to say of them.

    Parameters
    ----------
    raster
        GeoTIFF of people per cell, such as WorldPop or GHS-POP.
    units
        Whose people they are: columns name and geometry, projected.
    path
        The file that is written, whole or not at all: the same numbers on the same cells, all that a case reads and as much again.

    Raises
    ------
    InputError
        As the case's reader, which reads it first.
    """
    west, south, east, north = units.total_bounds.tolist()
    bounds = (west - AROUND, south - AROUND, east + AROUND, north + AROUND)
    grid, _ = read_people_grid(raster, raster.name, units.crs, bounds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd was told when it was read
            with open_plane(raster) as plane:
                own = crs_of_people(plane, raster.name)
                # Of what is written nobody could tell it any more.
                notes = notes_on_description(plane, raster.name)
                window = window_of_people(plane, own, units.crs, bounds, raster.name)
                box = shapely.box(*plane.bounds)
            with open_raster(raster) as source, written_whole(path) as partial:
                _write(source, window, partial)
    except RasterioError as error:
        raise _unreadable(error, raster) from None
    people = int(grid.values[grid.values > 0].sum()) / 1000
    rows, columns = grid.values.shape
    what = f"people are those of {raster.name}, {rows} x {columns} cells of it around the units, {people:,.0f} people in all"
    return [
        Problem(what, level="note" if people else "warning"),
        *notes,
        *_beyond(units, own, box, raster.name),
    ]


def people_within(raster: Path, units: gpd.GeoDataFrame) -> float:
    """Return how many people live in the units: those of the cells whose centre lies in one, as a run counts them.

    Parameters
    ----------
    raster
        GeoTIFF of people per cell.
    units
        Projected.

    Raises
    ------
    InputError
        As the case's reader.
    """
    west, south, east, north = units.total_bounds.tolist()
    grid, _ = read_people_grid(raster, raster.name, units.crs, (west, south, east, north))
    people = people_points(grid, units.crs)
    unit = locate(people.x, people.y, units.geometry.to_numpy())
    return int(people.thousandths[unit >= 0].sum()) / PER_ONE


def _beyond(units: gpd.GeoDataFrame, crs: Any, box: shapely.Geometry, name: str) -> list[Problem]:
    """Return a warning of the units that lie off the raster, where nobody is known to live."""
    land = units.geometry.to_crs(crs).to_numpy()
    known = shapely.area(shapely.intersection(land, box)) / shapely.area(land)
    off = np.flatnonzero(known < _WHOLE)
    if not off.size:
        return []
    named = listed(f"{units['name'].iloc[row]} ({1 - known[row]:.0%})" for row in off)
    what = f"{off.size} of {len(units)} units {'lies' if off.size == 1 else 'lie'} off the raster of people {name}, where nobody is known to live: {named}"
    return [Problem(what, level="warning")]


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
    masked = has_mask(source)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as target:
        target.scales, target.offsets = source.scales[:1], source.offsets[:1]
        for first in range(0, window.height, _ROWS):
            rows = min(_ROWS, window.height - first)
            here = Window(window.col_off, window.row_off + first, window.width, rows)
            there = Window(0, first, window.width, rows)
            target.write(source.read(1, window=here), 1, window=there)
            if masked:
                target.write_mask(source.read_masks(1, window=here), window=there)


def _unreadable(error: RasterioError, raster: Path) -> InputError:
    hint = "It may be damaged or cut off: copy it again."
    return InputError(f"the raster cannot be read: {error}", raster.name, hint)
