"""Fields and their reductions: sums per label, density from mass per label, sums per coarse cell.

NumPy or Dask inside; fields are float64, right to 1e-9 for any chunking, while sums of integers are exact.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.chunked.arrays import is_chunked, map_coarse, map_with_sheet, reduce_blocks
from carbongrid.errors import InputError, Problem
from carbongrid.kernels.blocks import block_sums
from carbongrid.kernels.jit import sealed
from carbongrid.kernels.runs import label_runs, summed
from carbongrid.overlaps import as_labels
from carbongrid.polygons import Polygons, PolygonsLike

_GRAMS = 1000.0
_ROWS_AT_ONCE = 2048
_LISTED = 10
# A sum per label holds the result and one partial sum of the same size.
_BYTES_PER_LABEL = 16


def zonal_sum(values: Any, labels: Any, n: int) -> xr.DataArray:
    """Sum values per label.

    Parameters
    ----------
    values : real or integer [y, x]
        DataArray, NumPy or Dask array; NaN counts as nothing.
    labels : unsigned integer [y, x]
        Of the same shape, 0 is nobody.
    n
        Largest label there can be.

    Returns
    -------
    xarray.DataArray, float64 or (of integers) int64 [label]
        Coordinate label = 1..n, computed; units as those of the values.

    Raises
    ------
    InputError
        If shapes or coordinates differ, a label is above n, or n sums would not fit into memory.
    """
    _require_room(n)
    _require_same_cells(values, labels)
    data, label_data = _data(values), _data(labels)
    if is_chunked(data) or is_chunked(label_data):
        parts = reduce_blocks(_sum_block, data, label_data)
    else:
        parts = [
            _sum_block(
                data[first : first + _ROWS_AT_ONCE], label_data[first : first + _ROWS_AT_ONCE]
            )
            for first in range(0, len(data), _ROWS_AT_ONCE)
        ]
    sums = np.zeros(n, _sum_dtype(data.dtype))
    for keys, amounts in parts:
        sums[_rows_of(keys, n)] += amounts
    what = (
        getattr(values, "attrs", {}).get("long_name") or getattr(values, "name", None) or "values"
    )
    return xr.DataArray(
        sums,
        dims=("label",),
        coords={
            "label": ("label", np.arange(1, n + 1), {"long_name": "row number + 1", "units": "1"})
        },
        name="sum",
        attrs={"units": _units(values), "long_name": f"sum of {what} per label"},
    )


def spread(
    mass: ArrayLike,
    labels: xr.DataArray,
    *,
    polygons: PolygonsLike | None = None,
    weights: Any = None,
) -> xr.DataArray:
    """Spread each label's mass over its cells, as a density.

    Parameters
    ----------
    mass : integer or real [label]
        g yr-1 of labels 1..n.
    labels : unsigned integer [y, x]
        With coordinates x and y in m.
    polygons
        Polygon of each label, in the labels' CRS: one with mass and no cell gives it to the cell under its
        representative point, whoever's cell that is.
    weights : real [y, x], optional
        The density follows them inside a label; NaN is unknown and counts as 0. A label whose weights are
        all 0 or unknown is spread evenly.

    Returns
    -------
    xarray.DataArray, float64 [y, x]
        kg m-2 yr-1; its sum times the cell area is the mass. Lazy if the labels or the weights are: what is
        wrong with the labels is then found when it is computed.

    Raises
    ------
    InputError
        If a label is above the number of masses, a weight is negative or infinite, a mass is not finite, or a label with mass has
        no cell and no polygon whose point lies on the grid; ten labels are listed.

    Notes
    -----
    density = mass / (cells * cell area), or mass * w / (sum of w in the label * cell area).
    """
    if weights is not None:
        _require_same_cells(weights, labels)
    masses = np.asarray(mass, np.float64)
    if masses.ndim != 1 or not np.isfinite(masses).all():
        raise InputError("mass must be one row of finite numbers, one for each label")
    recipe = _Recipe(masses, _lattice(labels), None if polygons is None else Polygons.of(polygons))
    arrays = [_data(labels)] + ([] if weights is None else [_data(weights)])
    if any(is_chunked(array) for array in arrays):
        data = map_with_sheet(_count_block, recipe.sheet, _spread_block, *arrays)
    else:
        data = _spread_block(*arrays, 0, 0, sheet=recipe.sheet([_count_block(*arrays)]))
    density = xr.DataArray(
        data,
        dims=labels.dims,
        coords=labels.coords,
        name="density",
        attrs={"units": "kg m-2 yr-1", "long_name": "mass per area and year"},
    )
    if "spatial_ref" in labels.coords:
        density.encoding["grid_mapping"] = "spatial_ref"
    return density


def block_sum(values: Any, factor: int) -> xr.DataArray:
    """Sum factor x factor cells into one coarse cell.

    Parameters
    ----------
    values : real or integer [y, x]
        DataArray, NumPy or Dask array; NaN counts as nothing.
    factor
        Fine cells along the side of a coarse one; divides both sides.

    Returns
    -------
    xarray.DataArray, float64 or (of integers) int64 [y, x]
        Lazy if the values are; coordinates are those of the coarse cells' centres, units those of the values.

    Raises
    ------
    InputError
        If the factor does not divide both sides.
    """
    data = _data(values)
    if factor < 1 or data.ndim != 2 or any(length % factor for length in data.shape):
        raise InputError(
            f"a factor of {factor} does not divide cells of shape {data.shape}",
            way_out="Make the grid with snap= the coarse cell.",
        )
    dtype = _sum_dtype(data.dtype)
    if is_chunked(data):
        sums = map_coarse(_coarsen_block, data, factor, dtype)
    else:
        sums = _coarsen_block(data, factor)
    name = getattr(values, "name", None)
    result = xr.DataArray(
        sums,
        dims=getattr(values, "dims", ("y", "x")),
        coords=_coarse_coordinates(values, factor),
        name=name,
        attrs={
            "units": _units(values),
            "long_name": f"sum of {getattr(values, 'attrs', {}).get('long_name') or name or 'values'}",
        },
    )
    if "spatial_ref" in result.coords:
        result.encoding["grid_mapping"] = "spatial_ref"
    return result


@dataclass(frozen=True)
class _Lattice:
    """Where the cells lie: north-west corner, side, shape."""

    west: float
    north: float
    side: float
    shape: tuple[int, int]


@dataclass(frozen=True)
class _Sheet:
    """What a block needs to know of all labels: densities to look up, and points to add.

    ``per_cell`` and ``per_weight`` have a row for label 0; ``density`` is added at cell (row, column).
    """

    per_cell: NDArray[np.float64]
    per_weight: NDArray[np.float64] | None
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    density: NDArray[np.float64]


@dataclass(frozen=True)
class _Recipe:
    """Makes the sheet from the counts of all blocks."""

    mass: NDArray[np.float64]
    lattice: _Lattice
    polygons: Polygons | None

    def sheet(self, parts: list[tuple[NDArray[Any], ...]]) -> _Sheet:
        size = self.mass.size
        cells, weight = np.zeros(size), np.zeros(size)
        weighted = False
        for keys, counts, *sums in parts:
            rows = _rows_of(keys, size)
            cells[rows] += counts
            if sums:
                weighted = True
                weight[rows] += sums[0]
        area = self.lattice.side**2
        follows = weight > 0
        even = (cells > 0) & ~follows
        per_cell, per_weight = np.zeros(size + 1), np.zeros(size + 1)
        per_cell[1:][even] = self.mass[even] / _GRAMS / (cells[even] * area)
        per_weight[1:][follows] = self.mass[follows] / _GRAMS / (weight[follows] * area)
        homeless = np.flatnonzero((cells == 0) & (self.mass != 0))
        row, column = self._cells_of(homeless)
        density = self.mass[homeless] / _GRAMS / area
        return _Sheet(per_cell, per_weight if weighted else None, row, column, density)

    def _cells_of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Cells under the representative points of polygons that no cell centre hits."""
        if not rows.size:
            return rows, rows
        if self.polygons is None or len(self.polygons) != self.mass.size:
            raise InputError(_homeless(rows, "Give polygons=, one for each mass."))
        points = shapely.point_on_surface(self.polygons.geometries(rows))
        row = np.floor((self.lattice.north - shapely.get_y(points)) / self.lattice.side)
        column = np.floor((shapely.get_x(points) - self.lattice.west) / self.lattice.side)
        height, width = self.lattice.shape
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        if not inside.all():
            raise InputError(_homeless(rows[~inside], "Their polygons lie off the grid."))
        return row.astype(np.int64), column.astype(np.int64)


def _homeless(rows: NDArray[np.int64], way_out: str) -> Problem:
    listed = ", ".join(str(row + 1) for row in rows[:_LISTED])
    return Problem(f"{rows.size} labels have mass and no cell: {listed}", way_out=way_out)


def _sum_block(values: Any, labels: Any) -> tuple[NDArray[np.uint64], NDArray[Any]]:
    flat = sealed(values, _sum_dtype(np.asarray(values).dtype)).reshape(-1)
    return summed(*label_runs(flat, sealed(as_labels(labels), np.uint32).reshape(-1)))


def _count_block(labels: Any, weights: Any = None) -> tuple[NDArray[Any], ...]:
    flat = sealed(as_labels(labels), np.uint32).reshape(-1)
    ones = np.broadcast_to(np.int64(1), flat.shape)
    keys, counts = summed(*label_runs(sealed(ones, np.int64), flat))
    if weights is None:
        return keys, counts
    known = np.asarray(weights, np.float64)
    if (known < 0).any() or np.isinf(known).any():
        raise InputError("a weight is negative or infinite", way_out="Mark what is unknown as NaN.")
    # The same labels in the same order, so the sums belong to the same keys.
    return keys, counts, _sum_block(known, labels)[1]


def _spread_block(labels: Any, *rest: Any, sheet: _Sheet) -> NDArray[np.float64]:
    *weights, first_row, first_column = rest
    numbers = as_labels(labels)
    density = sheet.per_cell[numbers]
    if weights and sheet.per_weight is not None:
        known = np.nan_to_num(np.asarray(weights[0], np.float64), nan=0.0)
        density += sheet.per_weight[numbers] * known
    row, column = sheet.row - first_row, sheet.column - first_column
    here = (row >= 0) & (row < density.shape[0]) & (column >= 0) & (column < density.shape[1])
    np.add.at(density, (row[here], column[here]), sheet.density[here])
    return density


def _coarsen_block(values: Any, factor: int) -> NDArray[Any]:
    return block_sums(sealed(values, _sum_dtype(np.asarray(values).dtype)), factor)


def _data(array: Any) -> Any:
    data = getattr(array, "data", array) if isinstance(array, xr.DataArray) else array
    return data if is_chunked(data) else np.asarray(data)


def _sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind in "biu":
        return np.dtype(np.int64)
    if dtype.kind == "f":
        return np.dtype(np.float64)
    raise InputError(f"values must be real numbers or integers, not {dtype}")


def _rows_of(keys: NDArray[Any], size: int) -> NDArray[np.int64]:
    if keys.size and keys.max() > size:
        raise InputError(f"label {keys.max()} is above the largest there can be, {size}")
    return keys.astype(np.int64) - 1


def _units(values: Any) -> str:
    return str(getattr(values, "attrs", {}).get("units", "1"))


def _require_room(n: int) -> None:
    if n < 0:
        raise InputError(f"the number of labels must be >= 0, not {n}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if n * _BYTES_PER_LABEL > memory:
        raise InputError(
            f"sums of {n} labels need {n * _BYTES_PER_LABEL / 1e9:.1f} GB of memory, there are {memory / 1e9:.1f}",
            way_out="Number the labels without gaps.",
        )


def _require_same_cells(values: Any, labels: Any) -> None:
    if values.shape != labels.shape:
        raise InputError(f"the rasters differ in shape: {values.shape} and {labels.shape}")
    if not (isinstance(values, xr.DataArray) and isinstance(labels, xr.DataArray)):
        return
    for axis in ("x", "y"):
        if axis in values.coords and axis in labels.coords:
            step = abs(_step(labels[axis].to_numpy()))
            if (
                np.abs(values[axis].to_numpy() - labels[axis].to_numpy()).max(initial=0)
                > 1e-6 * step
            ):
                raise InputError(
                    f"the rasters' cells differ in {axis}", way_out="Put them on one grid first."
                )


def _step(centres: NDArray[np.float64]) -> float:
    return float(centres[-1] - centres[0]) / (centres.size - 1) if centres.size > 1 else 0.0


def _lattice(labels: xr.DataArray) -> _Lattice:
    """Return where the cells lie, from the coordinates; from the geotransform where there is but one cell."""
    if not isinstance(labels, xr.DataArray) or not {"x", "y"} <= set(labels.coords):
        raise InputError(
            "labels must be a DataArray with coordinates x and y", way_out="cg.rasterize makes one."
        )
    x, y = labels["x"].to_numpy(), labels["y"].to_numpy()
    side = max(_step(x), -_step(y))
    if side <= 0 and "spatial_ref" in labels.coords:
        side = float(str(labels["spatial_ref"].attrs.get("GeoTransform", "0 0")).split()[1])
    if side <= 0:
        raise InputError("the labels' cells have no size: x must rise and y fall")
    return _Lattice(float(x[0]) - side / 2, float(y[0]) + side / 2, side, (y.size, x.size))


def _coarse_coordinates(values: Any, factor: int) -> dict[str, Any]:
    if not isinstance(values, xr.DataArray):
        return {}
    coordinates: dict[str, Any] = {}
    for axis in values.dims:
        if axis in values.coords:
            fine = values[axis].to_numpy()
            centres = (fine[::factor] + fine[factor - 1 :: factor]) / 2
            coordinates[str(axis)] = (axis, centres, values[axis].attrs)
    if "spatial_ref" in values.coords:
        attributes = dict(values["spatial_ref"].attrs)
        if "GeoTransform" in attributes:
            west, side, _, north, _, down = map(float, str(attributes["GeoTransform"]).split())
            attributes["GeoTransform"] = (
                f"{west!r} {side * factor!r} 0.0 {north!r} 0.0 {down * factor!r}"
            )
        coordinates["spatial_ref"] = ((), 0, attributes)
    return coordinates
