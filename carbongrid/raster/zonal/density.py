"""Density from mass per label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError, Problem
from carbongrid.raster.areal_scale import warn_of_areas
from carbongrid.raster.chunked.arrays import each_band, map_with_sheet, reduce_blocks
from carbongrid.raster.crs_units import require_plane
from carbongrid.raster.georeference import inside, is_chunked, is_in_angles, require_same_cells
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.lookup import look_up_weighted
from carbongrid.raster.kernels.zonal import Columns
from carbongrid.raster.labelled import require_real
from carbongrid.raster.lattice import Lattice, lattice_of
from carbongrid.raster.nodata import Unknown, labels_inside
from carbongrid.raster.pair_counts import as_labels
from carbongrid.raster.polygons import Polygons, PolygonsLike, require_same_crs
from carbongrid.raster.zonal.lookups import fine_array, label_table, look_up_block, require_known
from carbongrid.raster.zonal.rasters import rows_of
from carbongrid.raster.zonal.statistics import counting

_GRAMS = 1000.0
_LISTED = 10


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
        With coordinates x and y of a plane, in any unit of length (m where there is no CRS): rows from the north, columns from the
        west, each with one distance from cell to cell.
    polygons
        Polygon of each label, in the labels' CRS: one with mass and no cell gives it to the cell under its
        representative point, whoever's cell that is.
    weights : real [y, x], optional
        On the labels' cells. The density follows them inside a label; what is unknown (as for ``zonal_sum``) counts as 0. A label whose weights are
        all 0 or unknown is spread evenly.

    Returns
    -------
    xarray.DataArray, float64 [y, x]
        kg m-2 yr-1; its sum times the cell area is the mass. Lazy if the labels or the weights are: what is
        wrong with the labels is then found when it is computed.

    Raises
    ------
    InputError
        If the cells are not regular or differ from the weights', the CRS is geographic (areas of cells differ from row to row), a label is above the number of masses, a weight is negative or infinite, a mass is not finite, or a label with mass has
        no cell and no polygon whose point lies on the grid; ten labels are listed.

    Notes
    -----
    Areas are those of the plane: a warning tells where true ones are others by more than 2 %, as in web Mercator. density = mass / (cells * cell area), or mass * w / (sum of w in the label * cell area).
    """
    if weights is not None:
        require_same_cells(labels, weights)
    arrays = [labels_inside(labels)] + ([] if weights is None else [inside(weights)])
    if weights is not None:
        require_real(arrays[1], "the weights")
    lattice, unknown = lattice_of(labels), Unknown.of(weights)
    owners = None if polygons is None else Polygons.of(polygons)
    if owners is not None:
        require_same_crs(owners, lattice.crs)
    area = _cell_area(lattice, labels)
    recipe = _Recipe(label_table(mass)[1:], lattice, area, owners, unknown)
    partial, merge = counting(unknown)
    if any(is_chunked(array) for array in arrays):
        data = map_with_sheet((partial, merge), recipe.sheet, _spread_block, *arrays)
    else:
        sheet = recipe.sheet(reduce_blocks(partial, merge, *arrays))
        data = np.empty(arrays[0].shape)

        def fill(rows: slice) -> None:
            _spread_into(data[rows], sheet, (rows.start, 0), *(array[rows] for array in arrays))

        each_band(fill, data.shape)
    return fine_array(
        data, labels, "density", {"units": "kg m-2 yr-1", "long_name": "mass per area and year"}
    )


@dataclass(frozen=True)
class _Sheet:
    """What a block needs to know of all labels: densities to look up, and points to add; and which weights are unknown.

    ``per_cell`` and ``per_weight`` have a row for label 0; ``density`` is added at cell (row, column).
    """

    per_cell: NDArray[np.float64]
    per_weight: NDArray[np.float64] | None
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    density: NDArray[np.float64]
    unknown: Unknown


@dataclass(frozen=True)
class _Recipe:
    """Makes the sheet from the counts of all blocks."""

    mass: NDArray[np.float64]
    lattice: Lattice
    area: float
    polygons: Polygons | None
    unknown: Unknown

    def sheet(self, columns: Columns) -> _Sheet:
        size = self.mass.size
        cells, weight = np.zeros(size), np.zeros(size)
        keys, sums, counts = columns
        rows = rows_of(keys, size)
        cells[rows] = counts
        # Without weights the sums are whole: the cells once more.
        weighted = sums.dtype.kind == "f"
        if weighted:
            weight[rows] = sums
        follows = weight > 0
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            per_unit = self.mass / _GRAMS / (weight * self.area)
            odd = np.flatnonzero((weight != 0) & ~(np.isfinite(weight * self.area) & np.isfinite(per_unit)))  # fmt: skip
        if odd.size:
            raise InputError(
                f"weights of label {odd[0] + 1} add up to {weight[odd[0]]:g}, too much or too little for a density",
                hint="Is a nodata value among them? Declare it, or give the weights in another unit.",
            )
        even = (cells > 0) & ~follows
        per_cell, per_weight = np.zeros(size + 1), np.zeros(size + 1)
        per_cell[1:][even] = self.mass[even] / _GRAMS / (cells[even] * self.area)
        per_weight[1:][follows] = per_unit[follows]
        unassigned = np.flatnonzero((cells == 0) & (self.mass != 0))
        row, column = self._cells_of(unassigned)
        density = self.mass[unassigned] / _GRAMS / self.area
        weights = per_weight if weighted else None
        return _Sheet(per_cell, weights, row, column, density, self.unknown)

    def _cells_of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Cells under the representative points of polygons that no cell centre hits."""
        if not rows.size:
            return rows, rows
        if self.polygons is None or len(self.polygons) != self.mass.size:
            raise InputError(_homeless(rows, "Give polygons=, one for each mass."))
        points = shapely.point_on_surface(self.polygons.geometries(rows))
        row = np.floor((self.lattice.north - shapely.get_y(points)) / self.lattice.height)
        column = np.floor((shapely.get_x(points) - self.lattice.west) / self.lattice.width)
        height, width = self.lattice.shape
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        if not inside.all():
            raise InputError(_homeless(rows[~inside], "Their polygons lie off the grid."))
        return row.astype(np.int64), column.astype(np.int64)


def _homeless(rows: NDArray[np.int64], hint: str) -> Problem:
    listed = ", ".join(str(row + 1) for row in rows[:_LISTED])
    have = "1 label has" if rows.size == 1 else f"{rows.size:,} labels have"
    return Problem(f"{have} mass and no cell: {listed}", hint=hint)


def _spread_block(labels: Any, *rest: Any, sheet: _Sheet) -> NDArray[np.float64]:
    *weights, first_row, first_column = rest
    density = np.empty(labels.shape)
    _spread_into(density, sheet, (first_row, first_column), labels, *weights)
    return density


def _spread_into(
    density: NDArray[np.float64], sheet: _Sheet, corner: tuple[int, int], *blocks: Any
) -> None:
    """Fill a contiguous block whose first cell is the corner."""
    if len(blocks) == 1 or sheet.per_weight is None:
        look_up_block(sheet.per_cell, blocks[0], density)
    else:
        tables = (
            as_readonly_contiguous(sheet.per_cell, np.float64),
            as_readonly_contiguous(sheet.per_weight, np.float64),
        )
        known = as_readonly_contiguous(sheet.unknown.as_zero(blocks[1]), np.float64).reshape(-1)
        numbers = as_readonly_contiguous(as_labels(blocks[0]), np.uint32).reshape(-1)
        require_known(look_up_weighted(tables, numbers, known, density.reshape(-1)), tables[0])
    row, column = sheet.row - corner[0], sheet.column - corner[1]
    here = (row >= 0) & (row < density.shape[0]) & (column >= 0) & (column < density.shape[1])
    np.add.at(density, (row[here], column[here]), sheet.density[here])


def _cell_area(lattice: Lattice, labels: xr.DataArray) -> float:
    """Return the area of a cell in m2; without a CRS, coordinates are in m."""
    if lattice.crs is None and is_in_angles(labels):
        raise InputError(
            "mass per area cannot be measured on longitudes and latitudes",
            hint='Name their CRS, import rioxarray; raster = raster.rio.write_crs("EPSG:4326"), and reproject to an equal-area one.',
        )
    metres = require_plane(lattice.crs, "mass per area")
    east = lattice.west + lattice.width * lattice.shape[1]
    south = lattice.north - lattice.height * lattice.shape[0]
    warn_of_areas(lattice.crs, (lattice.west, south, east, lattice.north))
    return lattice.width * metres * lattice.height * metres
