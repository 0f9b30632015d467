"""Statistics of a raster, of bands or of a whole Dataset per label or per polygon, as the tables that xarray knows (docs/decisions/0047)."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable
from typing import Any

import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.georeference import is_chunked, require_one_crs
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown, labels_inside
from carbongrid.raster.pair_counts import as_labels
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal.stacks import (
    grid_mapping,
    id_values,
    is_lazy,
    is_polygons,
    kept_coordinates,
    kept_dimensions,
    plane_in,
    rasters_in,
    stacked_tables,
    y_and_x_last,
)
from carbongrid.raster.zonal.statistics import (
    STATISTICS,
    attributes_of,
    label_coordinate,
    tables_of,
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
) -> xr.Dataset:
    """Make several statistics of values per label, in one reading.

    Parameters
    ----------
    values : real or integer [..., y, x]
        DataArray, Dataset, NumPy, Dask or Zarr array. y and x are found by CF attributes of the coordinates, else by name, wherever
        they stand; any other dimension (time, band) stays. What is unknown, as for ``zonal_sum``, counts as nothing.
    labels : unsigned integer [y, x], or polygons
        Labels of the same cells, 0 is background. A GeoDataFrame, GeoSeries, array of shapely polygons or ``Polygons`` in the values' CRS
        is burnt into the values' own grid: a cell belongs to who covers its centre, the later row where several do.
    stats
        Names out of count (of cells with a known value), sum, mean, min and max; default all.
    n
        Largest label there can be. Default: the number of polygons or ids, what labels of ``rasterize`` say, or, of labels in memory
        that say nothing, the largest of them.
    ids
        Id of each label 1..n. Polygons bring theirs: column ``id``, else the index.
    quantum
        As for ``zonal_sum``: with it sums and means of real values are the same bits for any chunks.

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
        As ``zonal_sum``, and if a statistic is unknown, y and x cannot be told, n is not known, or there are not n ids.

    Notes
    -----
    In a lazy result all statistics of a band come from one reduction: ``compute()`` the Dataset, not variable by variable.
    """
    wanted = _known_stats(stats)
    if isinstance(values, xr.Dataset):
        return _of_dataset(values, labels, wanted, n=n, ids=ids, quantum=quantum)
    return _of_array(values, labels, wanted, n=n, ids=ids, quantum=quantum)


def _known_stats(stats: str | Iterable[str]) -> tuple[str, ...]:
    wanted = (stats,) if isinstance(stats, str) else tuple(dict.fromkeys(stats))
    strange = [stat for stat in wanted if stat not in STATISTICS]
    if strange or not wanted:
        told = f"there is no statistic {strange[0]!r}" if strange else "no statistic is named"
        raise InputError(told, hint=f"Choose from {', '.join(STATISTICS)}.")
    return wanted


def _of_dataset(
    values: xr.Dataset,
    labels: Any,
    stats: tuple[str, ...],
    *,
    n: int | None,
    ids: ArrayLike | None,
    quantum: float | None,
) -> xr.Dataset:
    mappings = {grid_mapping(variable) for variable in values.data_vars.values()}
    values = values.set_coords([name for name in values.data_vars if name in mappings])
    burnt: dict[Any, xr.DataArray] = {}
    if is_polygons(labels):
        labels = Polygons.of(labels)
        ids = labels.ids if ids is None else ids
    parts = []
    for name, variable in rasters_in(values, labels).items():
        plane, own = plane_in(variable, labels), labels
        if isinstance(labels, Polygons):
            if plane not in burnt:
                burnt[plane] = _burnt(labels, variable)
            own = burnt[plane]
        table = _of_array(variable, own, stats, n=n, ids=ids, quantum=quantum)
        parts.append(table.rename({stat: f"{name}_{stat}" for stat in stats}))
    return xr.merge(parts, join="exact", compat="identical", combine_attrs="override")


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
        labels = _burnt(polygons, values)
    unknown = Unknown.of(values)
    stack, labels = y_and_x_last(values, labels)
    leads = max(stack.ndim - 2, 0)
    named = None if ids is None else id_values(ids)
    n = _number(labels, n, named)
    numbers = n * len(stats) * math.prod(stack.shape[:leads])
    require_room(_BYTES_PER_NUMBER * numbers, f"{numbers:,} statistics", "Take fewer at once.")
    require_one_crs(values, labels)
    each = functools.partial(
        tables_of,
        labels=labels,
        n=n,
        stats=stats,
        quantum=quantum,
        unknown=unknown,
        later=is_lazy(stack) or is_lazy(labels),
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


def _burnt(polygons: Polygons, values: Any) -> xr.DataArray:
    """Return the labels of polygons on the cells of a raster or of a stack of them, in its chunks if it has any."""
    if not isinstance(values, xr.DataArray):
        raise InputError(
            "where the values' cells lie is not known, and labels are polygons",
            hint="Take a DataArray that has coordinates and a CRS, as rioxarray.open_rasterio makes it.",
        )
    stack, _ = y_and_x_last(values, polygons)
    plane = stack[(0,) * (stack.ndim - 2)]
    chunks = None if stack.chunks is None else tuple(max(sides) for sides in stack.chunks[-2:])
    return rasterize(polygons, Grid.like(plane), chunks=chunks)


def _number(labels: Any, n: int | None, ids: NDArray[Any] | None) -> int:
    """Return the largest label there can be."""
    if n is not None:
        try:
            n = operator.index(n)
        except TypeError:
            raise InputError(f"n is the largest label, a whole number, not {n!r}") from None
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
