"""Statistics of a raster, of bands or of a whole Dataset per label or per polygon, as the tables that xarray knows (docs/decisions/0047)."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.areal_scale import cells_apart
from carbongrid.raster.crs_of_rasters import require_one_crs
from carbongrid.raster.georeference import is_chunked
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import labels_of
from carbongrid.raster.lattice import north_up, with_mappings
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown, labels_inside, warn_of_zeros
from carbongrid.raster.pair_counts import as_labels
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.reach import require_reach
from carbongrid.raster.zonal.bringing import brought
from carbongrid.raster.zonal.operator import Coverage, ZonalOperator, require_equal_cells
from carbongrid.raster.zonal.rasters import require_whole
from carbongrid.raster.zonal.recipes import known_stats
from carbongrid.raster.zonal.sources import opened
from carbongrid.raster.zonal.stacks import (
    each_layer,
    id_values,
    is_lazy,
    is_polygons,
    kept_coordinates,
    kept_dimensions,
    merged_tables,
    plane_in,
    rasters_in,
    read_once,
    share_blocks,
    stacked_tables,
    with_own_blocks,
    y_and_x_last,
)
from carbongrid.raster.zonal.statistics import (
    STATISTICS,
    attributes_of,
    label_coordinate,
    tables_of,
    warn_of_degrees,
)

_BYTES_PER_NUMBER = 8


def zonal_stats(
    values: Any,
    labels: Any,
    stats: str | Iterable[str] = tuple(STATISTICS),
    *,
    n: int | None = None,
    ids: ArrayLike | None = None,
    quantum: float | None = None,
    weights: Any = None,
    coverage: Coverage | None = None,
    classes: ArrayLike | None = None,
) -> xr.Dataset:
    """Make several statistics of values per polygon, by exact shares of cells, or per label, in one reading.

    Parameters
    ----------
    values : real or integer [..., y, x]
        DataArray, Dataset, NumPy, Dask or Zarr array, or path of a GeoTIFF, a NetCDF file or a Zarr store. y and x are found by CF attributes of the coordinates, else by name, wherever
        they stand; any other dimension (time, band) stays. What is unknown, as for ``zonal_sum``, counts as nothing.
    labels : unsigned integer [y, x], or polygons
        Labels of the same cells, 0 is background. A GeoDataFrame, GeoSeries, array of shapely polygons or ``Polygons`` is brought into the values'
        CRS, and measured on the values' own grid: ``ZonalOperator``, which serves many rasters on one grid.
    stats
        Names out of count (of cells with a known value), sum, mean, min and max; default all. Of polygons also all others
        that ``ZonalOperator.apply`` knows: std, variance, valid_fraction, median, quantile_25, majority, minority, variety, fractions.
    n
        Largest label there can be. Default: the number of polygons or ids, what labels of ``rasterize`` say, or, of labels in memory
        that say nothing, the largest of them.
    ids
        Id of each label 1..n. Polygons bring theirs: column ``id``, else the index.
    quantum
        As for ``zonal_sum``: with it sums and means of real values per label are the same bits for any chunks. By shares of cells
        they are without it.
    weights, classes
        As for ``ZonalOperator.apply``, of polygons only.
    coverage
        Of polygons: ``exact`` (the default), by the share that a polygon has of each cell, whatever lies over it; or ``centre``: a cell
        belongs to the polygon that covers its centre, the later row where several do, as in ``rasterize``.

    Returns
    -------
    xarray.Dataset [..., label]
        A variable for each statistic, of a Dataset ``VARIABLE_STATISTIC``; the same numbers as ``zonal_sum`` and the others make
        of each band alone. Coordinates: label = 1..n, id where known (``set_xindex("id")`` makes it an index), and those of the dimensions that stay.
        Units are those of the values, of a count 1. Lazy, and nothing is read, if values or labels are backed by Dask or Zarr: what is wrong with labels
        or sums is then found when it is computed. A Dataset's variables without y and x (grid mappings, bounds of times) are left out.

    Raises
    ------
    InputError
        As ``zonal_sum``, and if a statistic is unknown, y and x cannot be told, n is not known, there are not n ids, or a mean per polygon is asked for on a
        geographic grid and no weights are named.

    Notes
    -----
    A mean of cells that count alike and differ in area by more than 2 % on the ground warns: per label on a geographic grid, per polygon on a plane. In a lazy result all statistics of a band come from one reduction: ``compute()`` the Dataset, not variable by variable.
    """
    # Labels lie as the values do, wherever that is.
    values = opened(values, placed=is_polygons(labels))
    if isinstance(labels, str | os.PathLike):
        raise InputError(
            f"labels or polygons are wanted, not the path {os.fspath(labels)!r}",
            hint="Read them first: geopandas.read_file(path), or carbongrid.raster.open_labels(path)['label'].",
        )
    if is_polygons(labels):
        wanted = known_stats(stats)
        by_labels = weights is None and set(wanted) <= set(STATISTICS)
        if coverage != "centre" or not by_labels:
            if quantum is not None:
                raise InputError(
                    "sums by shares of cells are exact without a quantum",
                    hint='Leave it out, or take coverage="centre".',
                )
            own = _Measured(Polygons.of(labels), coverage or "exact", n, ids)
            return own.apply(values, wanted, weights, classes)
    elif coverage is not None or weights is not None or classes is not None:
        raise InputError(
            "coverage, weights and classes are for polygons, and these are labels",
            hint="Give the polygons in place of the labels.",
        )
    wanted = known_stats(stats, STATISTICS)
    if isinstance(values, xr.Dataset):
        return _of_dataset(values, labels, wanted, n=n, ids=ids, quantum=quantum)
    return _of_array(values, labels, wanted, n=n, ids=ids, quantum=quantum)


@dataclass(frozen=True)
class _Measured:
    """Polygons measured on the grid of each raster that comes, once a grid."""

    polygons: Polygons
    coverage: Coverage
    n: int | None
    ids: ArrayLike | None

    def apply(
        self, values: Any, stats: tuple[str, ...], weights: Any, classes: ArrayLike | None
    ) -> xr.Dataset:
        named = self.polygons.ids if self.ids is None else id_values(self.ids)
        if self.n not in (None, len(self.polygons)) or (
            named is not None and len(named) != len(self.polygons)
        ):
            raise InputError(f"there are {len(self.polygons)} polygons, and n or ids say otherwise")
        found = (
            self._of_dataset(values, stats, weights, classes)
            if isinstance(values, xr.Dataset)
            else self._operator(values).apply(values, stats, weights=weights, classes=classes)
        )
        if named is None:
            return found
        return found.assign_coords(id=("label", id_values(named), {"long_name": "id"}))

    def _of_dataset(
        self, values: xr.Dataset, stats: tuple[str, ...], weights: Any, classes: ArrayLike | None
    ) -> xr.Dataset:
        def table(variable: xr.DataArray, operator: ZonalOperator) -> xr.Dataset:
            return operator.apply(variable, stats, weights=weights, classes=classes)

        return _over_planes(with_mappings(values), None, stats, self._operator, table)

    def _operator(self, values: Any) -> ZonalOperator:
        grid = Grid.like(north_up(_one_plane(values)))
        return ZonalOperator(self.polygons, grid, coverage=self.coverage)


def _of_dataset(
    values: xr.Dataset,
    labels: Any,
    stats: tuple[str, ...],
    *,
    n: int | None,
    ids: ArrayLike | None,
    quantum: float | None,
) -> xr.Dataset:
    values = with_mappings(values, placed=is_polygons(labels))
    polygons = Polygons.of(labels) if is_polygons(labels) else None
    if polygons is not None and ids is None:
        ids = polygons.ids

    def labels_on(variable: xr.DataArray) -> Any:
        return labels if polygons is None else _burnt(polygons, variable, stats)

    def table(variable: xr.DataArray, own: Any) -> xr.Dataset:
        return _of_array(variable, own, stats, n=n, ids=ids, quantum=quantum)

    return _over_planes(values, labels, stats, labels_on, table)


def _over_planes[T](
    values: xr.Dataset,
    labels: Any,
    stats: tuple[str, ...],
    make: Callable[[xr.DataArray], T],
    table: Callable[[xr.DataArray, T], xr.Dataset],
) -> xr.Dataset:
    """Return the tables of a Dataset's variables as one; what is made for a pair of dimensions y and x is made once."""
    made: dict[Any, T] = {}

    def of_layer(variable: xr.DataArray) -> xr.Dataset:
        plane = plane_in(variable, labels)
        if plane not in made:
            made[plane] = make(variable)
        return table(variable, made[plane])

    return merged_tables(each_layer(rasters_in(values, labels), of_layer), stats)


def _of_array(
    values: Any,
    labels: Any,
    stats: tuple[str, ...],
    *,
    n: int | None,
    ids: ArrayLike | None,
    quantum: float | None,
) -> xr.Dataset:
    if is_polygons(labels):
        polygons = Polygons.of(labels)
        ids = polygons.ids if ids is None else ids
        labels = _burnt(polygons, values, stats)
    unknown = Unknown.of(values)
    stack, labels = y_and_x_last(values, labels)
    leads = max(stack.ndim - 2, 0)
    named = None if ids is None else id_values(ids)
    n = _number(labels, n, named)
    numbers = n * len(stats) * math.prod(stack.shape[:leads])
    require_room(_BYTES_PER_NUMBER * numbers, f"{numbers:,} statistics", "Take fewer at once.")
    require_one_crs(values, labels)
    labels = read_once(labels)
    warn_of_degrees(stack, labels, stats, n)
    warn_of_zeros(values, stats)
    shared = share_blocks(stack, leads)
    stack = with_own_blocks(stack) if shared else stack
    each = functools.partial(
        tables_of,
        labels=labels,
        n=n,
        stats=stats,
        quantum=quantum,
        unknown=unknown,
        later=is_lazy(stack) or is_lazy(labels),
        shared=shared,
    )
    tables = stacked_tables(stack, leads, each)
    kept = kept_dimensions(stack, leads)
    found = xr.Dataset(
        {stat: ((*kept, "label"), tables[stat], attributes_of(stat, values)) for stat in stats},
        coords={**kept_coordinates(stack, kept), "label": label_coordinate(n)},
    )
    if named is None:
        return found
    return found.assign_coords(id=("label", named, {"long_name": "id"}))


def _one_plane(values: Any) -> xr.DataArray:
    """Return the first raster [y, x] of a stack."""
    if not isinstance(values, xr.DataArray):
        raise InputError(
            "where the values' cells lie is not known, and labels are polygons",
            hint="Take a DataArray that has coordinates and a CRS, as rioxarray.open_rasterio makes it, or the path of a file; a plain array on a grid that you know: cg.ZonalOperator(polygons, grid).apply(array, stats).",
        )
    stack, _ = y_and_x_last(values, None)
    first: xr.DataArray = stack[(0,) * (stack.ndim - 2)]
    return first


def _burnt(polygons: Polygons, values: Any, stats: tuple[str, ...]) -> xr.DataArray:
    """Return the labels of polygons on the cells of a raster or of a stack of them, in its chunks if it has any, for statistics that its cells allow."""
    plane = _one_plane(values)
    chunks = None if plane.chunks is None else (max(plane.chunks[0]), max(plane.chunks[1]))
    grid = Grid.like(plane)
    moved, _ = brought(polygons, grid)
    require_equal_cells(grid, stats, lambda: cells_apart(grid.crs, _on_grid(moved, grid)))
    require_reach(moved, grid.bounds, grid.crs, polygons.crs)
    return labels_of(moved, grid, chunks=chunks)


def _on_grid(polygons: Polygons, grid: Grid) -> NDArray[np.float64]:
    """Return the bounds of what lies on a grid of each polygon; NaN of what does not."""
    west, south, east, north = grid.bounds
    found = polygons.bounds.copy()
    left, bottom, right, top = found.T
    off = (left > east) | (right < west) | (bottom > north) | (top < south)
    found[off] = np.nan
    return np.clip(found, (west, south, west, south), (east, north, east, north))


def _number(labels: Any, n: int | None, ids: NDArray[Any] | None) -> int:
    """Return the largest label there can be."""
    if n is not None:
        n = require_whole(n, "n is the largest label")
    if ids is not None:
        if n not in (None, ids.size):
            raise InputError(f"there are {ids.size} ids for {n} labels")
        return ids.size
    told = getattr(labels, "attrs", {}).get("polygon_count") if n is None else n
    if told is not None:
        return int(told)
    data = labels_inside(labels)
    if is_chunked(data):
        raise InputError(
            "how many labels there are is not known before they are read",
            hint="Say it: n= (or ids=, one for each label).",
        )
    return int(as_labels(data).max(initial=0))
