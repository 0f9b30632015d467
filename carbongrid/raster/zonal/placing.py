"""A raster brought onto a grid's cells: turned where its rows run from the south, refused where its cells are others."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from carbongrid.errors import InputError
from carbongrid.raster.axis_units import require_units_of_crs
from carbongrid.raster.crs_of_rasters import require_same_crs_as
from carbongrid.raster.georeference import is_place, require_raster
from carbongrid.raster.grid import Grid
from carbongrid.raster.lattice import corner_of, north_up, turned_axes

# In cells: coordinates may be rounded.
_NEAR = 1e-3


def require_same_way(raster: Any, weights: Any) -> None:
    """Raise if a raster [y, x] tells that its rows run from the south, or columns from the east, and its weights do not tell how theirs run, or the reverse.

    Raises
    ------
    InputError
        If so.
    """
    told = [_tells_places(each) for each in (raster, weights)]
    if all(told) or not any(told):
        return
    turned = turned_axes(raster if told[0] else weights)
    if turned:
        one, other = ("values", "weights") if told[0] else ("weights", "values")
        raise InputError(
            f"the {one} run backwards along {turned[0]}, and the {other} have no coordinates that tell how theirs run",
            hint="Give both as DataArrays with coordinates.",
        )


def _tells_places(raster: Any) -> bool:
    return isinstance(raster, xr.DataArray) and all(axis in raster.coords for axis in raster.dims)


def on_grid(raster: Any, grid: Grid) -> Any:
    """Return a raster [y, x] as it lies on a grid.

    Raises
    ------
    InputError
        If it is rotated, or its cells or its CRS are others than the grid's, as far as it tells.
    """
    require_raster(raster)
    shape = np.shape(raster)
    if shape != grid.shape:
        raise InputError(
            f"the raster has {shape} cells, the operator's grid {grid.shape}",
            hint="Make an operator for this grid: cg.ZonalOperator(polygons, cg.Grid.like(raster)).",
        )
    if not isinstance(raster, xr.DataArray):
        return raster
    raster = north_up(raster)
    require_same_crs_as(raster, grid.crs)
    told = [axis for axis in raster.dims if axis in raster.coords]
    require_units_of_crs(raster, grid.crs)
    for axis, own in zip(raster.dims, (grid.y, grid.x), strict=True):
        if axis in told:
            centres = raster[axis].to_numpy().astype(np.float64)
            _require_same(np.abs(centres - own).max(initial=0.0), axis, grid)
    if not told:
        _require_no_places(raster)
    corner = None if told else corner_of(raster)
    if corner is not None:
        west, width, north, height = corner
        away = max(abs(west - grid.bounds[0]), abs(north - grid.bounds[3]))
        wrong = max(abs(width - grid.resolution), abs(height - grid.resolution)) * max(shape)
        _require_same(max(away, wrong), "its geotransform", grid)
    return raster


def _require_no_places(raster: xr.DataArray) -> None:
    """Raise if a raster without coordinates along y and x has a longitude and a latitude of each cell: they are compared with nothing."""
    places = [
        str(name)
        for name, each in raster.coords.items()
        if set(each.dims) == set(raster.dims) and is_place(each)
    ]
    if places:
        raise InputError(
            f"the raster says where each cell lies ({', '.join(places)}), which is not held against the operator's grid",
            hint=f"Put it on a regular grid first, or leave the coordinates out where its cells are the grid's: raster.drop_vars({places!r}).",
        )


def _require_same(away: float, where: Any, grid: Grid) -> None:
    if not away <= _NEAR * grid.resolution:
        raise InputError(
            f"the raster's cells are not those of the operator's grid: they differ in {where}",
            hint="Make an operator for this grid: cg.ZonalOperator(polygons, cg.Grid.like(raster)).",
        )
