"""Where a raster's cells lie: corner and size by its coordinates, held against its geotransform and the bounds of its cells."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from carbongrid.errors import InputError
from carbongrid.raster.axis_units import require_units_of_crs
from carbongrid.raster.crs_of_rasters import (
    USUAL_MAPPINGS,
    geotransform_in,
    geotransform_text,
    grid_mapping,
    stated_crs,
)
from carbongrid.raster.crs_units import full_turn
from carbongrid.raster.georeference import (
    NEAR,
    axis_of,
    file_of,
    is_angle,
    is_in_angles,
    plane_of,
    require_raster,
    require_rows_first,
    step,
)
from carbongrid.raster.opening.crs import crs_of

# What else says where cells lie may be rounded by itself.
_NEAR_BESIDE = 1e-2

_HALF_OF_LATITUDES = 90.0

_TURN = 360.0


def rotation_of(raster: xr.DataArray) -> str | None:
    """Return a raster's geotransform if it is rotated or slanted, else None."""
    found = geotransform_in(raster)
    if found is None:
        return None
    _, _, slant, _, lean, _ = found
    return geotransform_text(raster) if slant or lean else None


def north_up(raster: xr.DataArray) -> xr.DataArray:
    """Return a raster [y, x] with rows from the north and columns from the west; nothing is read.

    Raises
    ------
    InputError
        If it is rotated.
    """
    _require_unturned(raster)
    turns = dict.fromkeys(turned_axes(raster), slice(None, None, -1))
    return raster.isel(turns) if turns else raster


def _require_unturned(raster: xr.DataArray) -> None:
    turned = rotation_of(raster)
    if turned is not None:
        raise InputError(
            f"the raster is rotated: its geotransform is {turned}",
            file_of(raster),
            "Put it on a north-up grid first, for example with rioxarray's reproject(raster.rio.crs).",
        )


def turned_axes(raster: xr.DataArray) -> list[Hashable]:
    """Return the dimensions of a raster [y, x] that run from the south or from the east."""
    found = []
    for axis, rising in zip(raster.dims, (False, True), strict=True):
        if axis in raster.coords and raster.sizes[axis] > 1:
            centres = raster[axis].to_numpy()
            if bool(centres[-1] > centres[0]) is not rising:
                found.append(axis)
    return found


def corner_of(raster: xr.DataArray) -> tuple[float, float, float, float] | None:
    """Return west, width, north and height of a raster's geotransform (height is negative where rows run from the south); None if it states none.

    A geotransform may be left over from before a selection: ask only a raster without coordinates.
    """
    found = geotransform_in(raster)
    if found is None:
        return None
    west, width, _, north, _, down = found
    return west, width, north, -down


@dataclass(frozen=True)
class Lattice:
    """Where the cells of a north-up raster lie: CRS, north-west corner, width and height of a cell, shape; in units of the CRS."""

    crs: str | None
    west: float
    north: float
    width: float
    height: float
    shape: tuple[int, int]

    def require_square(self) -> None:
        """Raise unless the cells are square.

        Raises
        ------
        InputError
            If they are not.
        """
        if abs(self.width - self.height) * max(self.shape) > NEAR * self.width:
            raise InputError(
                f"the raster's cells are not square: {self.width:g} wide, {self.height:g} high",
                hint="Reproject it first, for example with rioxarray's reproject.",
            )


def lattice_of(raster: Any) -> Lattice:
    """Return where a raster's cells lie, from its coordinates.

    A geotransform is often left over from before a selection or a coarsening. It is asked only for the size that a single row or
    column does not tell, and only if it is this raster's own; where it is, its digits are taken, which are not rounded.

    Raises
    ------
    InputError
        If the raster has no coordinates, its rows do not run from the north or its columns from the west, cells differ in
        size, or a single row or column has none; if coordinates are in another unit than the CRS, or a geotransform of such cells lies beside theirs by less than one.
    """
    require_raster(raster)
    require_rows_first(raster)
    if not isinstance(raster, xr.DataArray) or not set(raster.dims) <= set(raster.coords):
        if isinstance(raster, xr.DataArray):
            _require_unturned(raster)  # of such a file rioxarray makes no coordinates
        raise InputError(
            "the raster has no coordinates x and y of its cells",
            hint="Take a DataArray that has them, as cg.rasterize and rioxarray.open_rasterio make it.",
        )
    across, down = str(raster.dims[1]), str(raster.dims[0])
    x, y = (raster[axis].to_numpy().astype(np.float64) for axis in (across, down))
    if not (x.size and y.size):
        raise InputError(f"the raster has no cells, its shape is {raster.shape}")
    west, width = _side(x, across, "west to east")
    north, height = _side(-y, down, "north to south")
    stated = _own_geotransform(raster, (x[0], width), (y[0], height), x.size, y.size)
    if stated is not None:
        west, width, north, height = stated
    elif not (width and height):
        raise _no_size("column" if not width else "row")
    else:
        west, north = west - width / 2, -north + height / 2
    lattice = Lattice(stated_crs(raster), west, north, width, height, (y.size, x.size))
    require_units_of_crs(raster, lattice.crs)
    if stated is None:
        _require_one_place(raster, lattice)
    return lattice


def _require_one_place(raster: xr.DataArray, lattice: Lattice) -> None:
    corner = corner_of(raster)
    if corner is None:
        return
    west, width, north, height = corner
    north -= min(height, 0.0) * lattice.shape[0]
    # Of other cells, or not half of one off, it is left over from before a selection or an interpolation, which is often so and means nothing.
    rows, columns = lattice.shape
    beside = [
        _is_half_a_cell(west - lattice.west, abs(width), lattice.width, columns),
        _is_half_a_cell(north - lattice.north, abs(height), lattice.height, rows),
    ]
    if any(beside):
        raise InputError(
            f"by its coordinates the raster's north-west corner is {lattice.west:g}, {lattice.north:g}, by its geotransform {west:g}, {north:g}",
            hint="Coordinates are those of the middles of cells: write those that hold, or, where they do, the geotransform anew: import rioxarray; raster = raster.rio.write_transform().",
        )


def _is_half_a_cell(away: float, told: float, side: float, count: int) -> bool:
    """Tell whether this is half a cell and any number of whole ones, of cells that are of one size over that way and over the raster."""
    cells = abs(away) / side
    alike = abs(told - side) * (cells + count) < _NEAR_BESIDE * side
    return alike and abs(cells % 1 - 0.5) < _NEAR_BESIDE


def with_mappings(values: xr.Dataset, *, placed: bool = True) -> xr.Dataset:
    """Return a Dataset whose grid mappings are coordinates, so that every raster has its CRS, also where none names it and it is called as is usual.

    A raster that was taken out of a Dataset has lost the bounds of its cells, so they are looked at here, unless nobody asks where its cells are placed.

    Raises
    ------
    InputError
        If bounds of cells say that coordinates are edges of cells: half a cell off is seen by nobody.
    """
    for axis, place in values.coords.items():
        if placed and place.dims == (axis,) and axis_of(values, axis) in ("x", "y"):
            _require_no_edges(values, place)
    mappings = {grid_mapping(variable) for variable in values.data_vars.values()}
    usual = [name for name in USUAL_MAPPINGS if name in values.data_vars and not values[name].ndim]
    return values.set_coords([*(name for name in values.data_vars if name in mappings), *usual])


def _require_no_edges(values: xr.Dataset, place: xr.DataArray) -> None:
    """Raise if, by their bounds, coordinates are all edges of cells of one size.

    Any other bounds are left over: xarray computes with them as with the values, so that in a difference or in other units they are no places. Those
    that were computed lack the encoding that what is read from a file has.
    """
    name = str({**place.encoding, **place.attrs}.get("bounds", ""))
    bounds = values.variables.get(name)
    if bounds is None or bounds.shape != (place.size, 2) or place.size < 2 or not bounds.encoding:
        return
    if place.dtype.kind not in "iuf" or bounds.dtype.kind not in "iuf":
        return
    centres = place.to_numpy().astype(np.float64)
    away = bounds.to_numpy().astype(np.float64) - centres[:, None]
    if not np.isfinite(away).all():
        return
    ends = np.array([-np.inf, np.inf])
    if is_angle(place) and axis_of(values, place.name) == "y":
        ends = np.array([-_HALF_OF_LATITUDES, _HALF_OF_LATITUDES])
    elif is_angle(place):
        # Longitudes are often turned without their bounds, or each edge by itself.
        away -= _TURN * np.rint(away / _TURN)
    away.sort(axis=1)
    side = abs(step(centres))
    for corner in (-side, 0.0):
        cell = np.clip(centres[:, None] + corner + [0.0, side], *ends) - centres[:, None]
        if side and (np.abs(away - cell) <= _NEAR_BESIDE * side).all():
            raise InputError(
                f"the coordinates along {place.name} are not the middles of its bounds",
                hint=f"Write those of the middles of cells as coordinates, or leave the bounds out: dataset.drop_vars({name!r}).",
            )


def row_heights(raster: Any) -> NDArray[np.float64] | None:
    """Return how large cells of each row are beside those of the others, from the north or from the south as they run; None where a raster does not say that it has latitudes."""
    if not isinstance(raster, xr.DataArray):
        return None
    try:
        crs = stated_crs(raster)
        geographic = is_in_angles(raster) if crs is None else crs_of(crs).is_geographic
        plane = plane_of(raster)
    except (InputError, CRSError):
        return None
    if not geographic or plane is None or plane[0] not in raster.coords:
        return None
    turn = (None if crs is None else full_turn(crs)) or _TURN
    middles = raster[plane[0]].to_numpy().astype(np.float64) / turn * 2 * np.pi
    half = abs(step(middles)) / 2
    pole = np.pi / 2
    return np.asarray(
        np.sin(np.clip(middles + half, -pole, pole)) - np.sin(np.clip(middles - half, -pole, pole)),
        np.float64,
    )


def _side(centres: NDArray[np.float64], axis: str, direction: str) -> tuple[float, float]:
    """Return the first of centres that shall rise, and the side of a cell: 0 where there is one only."""
    side = step(centres)
    if side < 0:
        ascending = "" if direction == "west to east" else ", ascending=False"
        raise InputError(
            f"the raster's {axis} does not run from {direction}",
            hint=f'Sort it first: raster.sortby("{axis}"{ascending}).',
        )
    regular = centres[0] + side * np.arange(centres.size)
    if centres.size > 1 and not (side > 0 and np.abs(centres - regular).max() <= NEAR * side):
        raise InputError(
            f"the raster's cells differ in size along {axis}",
            hint="Put it on a regular grid first, for example with rioxarray's reproject.",
        )
    return float(centres[0]), side


def _own_geotransform(
    raster: xr.DataArray,
    columns: tuple[float, float],
    rows: tuple[float, float],
    width: int,
    height: int,
) -> tuple[float, float, float, float] | None:
    """Return west, width, north and height of a geotransform if it says what the first centres and sides (0: unknown) do."""
    found = geotransform_in(raster)
    if found is None:
        return None
    west, wide, slant, north, lean, down = found
    if slant or lean or not (wide > 0 and down < 0):
        return None
    for first, corner, side, told, count in (
        (columns[0], west, wide, columns[1], width),
        (rows[0], north, down, -rows[1], height),
    ):
        reach = NEAR * abs(side)
        if not abs(corner + side / 2 - first) <= reach:
            return None
        if told and not abs(side - told) * count <= reach:
            return None
    return west, wide, north, -down


def _no_size(what: str) -> InputError:
    return InputError(
        f"a single {what} does not tell how large its cells are",
        hint="Give the raster its own geotransform: import rioxarray; raster = raster.rio.write_transform(...).",
    )
