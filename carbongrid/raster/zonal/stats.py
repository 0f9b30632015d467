"""Statistics of a raster, of bands or of a whole Dataset per label or per polygon, as the tables that xarray knows (docs/decisions/0047)."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.georeference import (
    inside,
    is_chunked,
    is_zarr,
    plane_of,
    require_one_crs,
    require_rows_first,
)
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown, labels_inside
from carbongrid.raster.pair_counts import as_labels
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal.statistics import (
    STATISTICS,
    attributes_of,
    label_coordinate,
    tables_of,
)

_BYTES_PER_NUMBER = 8
_OWN_NAMES = ("label", "id")
_NAME_AXES = 'Name them so, or in the attributes of their coordinates: axis = "Y" and axis = "X".'


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
    mappings = {_grid_mapping(variable) for variable in values.data_vars.values()}
    values = values.set_coords([name for name in values.data_vars if name in mappings])
    burnt: dict[Any, xr.DataArray] = {}
    if _is_polygons(labels):
        labels = Polygons.of(labels)
        ids = labels.ids if ids is None else ids
    parts = []
    for name, variable in _rasters_in(values, labels).items():
        plane, own = _plane(variable, labels), labels
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
    if _is_polygons(labels):
        polygons = Polygons.of(labels)
        ids = polygons.ids if ids is None else ids
        labels = _burnt(polygons, values)
    unknown = Unknown.of(values)
    stack, labels = _turned(values, labels)
    leads = max(stack.ndim - 2, 0)
    named = None if ids is None else _id_coordinate(ids)
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
        later=_is_lazy(stack) or _is_lazy(labels),
    )
    tables = _stacked(stack, leads, each)
    kept = _kept(stack, leads)
    found = xr.Dataset(
        {stat: ((*kept, "label"), tables[stat], attributes_of(stat, values)) for stat in stats},
        coords={**_coordinates(stack, kept), "label": label_coordinate(n)},
    )
    if named is None:
        return found
    return found.assign_coords(id=("label", named, {"long_name": "id"}))


def _is_lazy(raster: Any) -> bool:
    if isinstance(raster, xr.DataArray):
        return raster.chunks is not None
    return is_chunked(raster)


def _turned(values: Any, labels: Any) -> tuple[Any, Any]:
    """Return values with y and x last, and labels [y, x], as far as both name their dimensions."""
    if is_zarr(values):
        # One band of a bare Zarr array cannot be had without reading it, so it has two dimensions.
        inside(values)
    if not isinstance(values, xr.DataArray):
        stack = values if hasattr(values, "ndim") else np.asarray(values)
        _require_some(stack.shape[:-2])
        return stack, labels
    plane = _plane(values, labels)
    if plane is None:
        names = ", ".join(map(str, values.dims))
        raise InputError(f"which dimensions are y and x? These are {names}", hint=_NAME_AXES)
    leads = [dimension for dimension in values.dims if dimension not in plane]
    _require_some(tuple(values.sizes[dimension] for dimension in leads))
    if isinstance(labels, xr.DataArray):
        own = plane_of(labels)
        if own is not None and own != labels.dims:
            labels = labels.transpose(*own)
    elif not isinstance(labels, Polygons):
        # An array's rows are those of the raster as it stands.
        require_rows_first(values.isel(dict.fromkeys(leads, 0)))
    order = (*leads, *plane)
    return values if order == values.dims else values.transpose(*order), labels


def _require_some(shape: tuple[int, ...]) -> None:
    if 0 in shape:
        raise InputError(f"the values hold no raster: there are {shape} of them")


def _plane(values: xr.DataArray, labels: Any) -> tuple[Hashable, Hashable] | None:
    """Return a raster's dimensions y and x; where it does not tell, those that the labels have, or the two that there are."""
    found = plane_of(values)
    if found is None and isinstance(labels, xr.DataArray) and labels.ndim == 2:
        down, across = plane_of(labels) or labels.dims
        found = (down, across) if {down, across} <= set(values.dims) else None
    if found is None and values.ndim == 2:
        down, across = values.dims
        return down, across
    return found


def _rasters_in(values: xr.Dataset, labels: Any) -> dict[Hashable, xr.DataArray]:
    """Return the variables that have y and x, or that may have where none of them tells."""
    own = set(labels.dims) if isinstance(labels, xr.DataArray) else None
    told = {
        name: variable
        for name, variable in values.data_vars.items()
        if plane_of(variable) is not None or (own is not None and own <= set(variable.dims))
    }
    maybe = {name: each for name, each in values.data_vars.items() if _plane(each, labels)}
    if not maybe:
        raise InputError("the Dataset has no variable with dimensions y and x", hint=_NAME_AXES)
    return told or maybe


def _is_polygons(labels: Any) -> bool:
    if isinstance(labels, xr.DataArray | xr.Dataset):
        return False
    if isinstance(labels, np.ndarray):
        return bool(labels.dtype == object)
    return isinstance(labels, Polygons) or hasattr(labels, "geometry")


def _burnt(polygons: Polygons, values: Any) -> xr.DataArray:
    """Return the labels of polygons on the cells of a raster or of a stack of them, in its chunks if it has any."""
    if not isinstance(values, xr.DataArray):
        raise InputError(
            "where the values' cells lie is not known, and labels are polygons",
            hint="Take a DataArray that has coordinates and a CRS, as rioxarray.open_rasterio makes it.",
        )
    stack, _ = _turned(values, polygons)
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


def _id_coordinate(ids: ArrayLike) -> NDArray[Any]:
    """Return ids in the type that they have in common, if there is one; text stays text."""
    row = np.asarray(ids, dtype=object)
    if row.ndim != 1:
        raise InputError(f"ids must be one row, one for each label, not of shape {row.shape}")
    return np.asarray(pd.Series(row, dtype=object).infer_objects().to_numpy())


def _stacked(values: Any, leads: int, each: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the tables of every raster [y, x] in a stack, stacked alike; lazy ones stay lazy."""
    if not leads:
        return each(values)
    parts = [_stacked(values[i], leads - 1, each) for i in range(values.shape[0])]
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def _kept(stack: Any, leads: int) -> tuple[Hashable, ...]:
    """Return the dimensions that stay."""
    names = getattr(stack, "dims", [f"dim_{axis}" for axis in range(leads)])[:leads]
    for name in names:
        if name in _OWN_NAMES:
            raise InputError(
                f"a dimension of the values is called {name!r}, as a coordinate of the result is",
                hint="Rename it: raster.rename(...).",
            )
    return tuple(names)


def _coordinates(stack: Any, kept: tuple[Hashable, ...]) -> dict[Hashable, Any]:
    """Return the coordinates along the dimensions that stay, and those of the whole, without the grid mapping."""
    if not isinstance(stack, xr.DataArray):
        return {}
    left_out = {_grid_mapping(stack), "spatial_ref", "crs", *_OWN_NAMES}
    return {
        name: coordinate.variable
        for name, coordinate in stack.coords.items()
        if set(coordinate.dims) <= set(kept) and name not in left_out
    }


def _grid_mapping(raster: xr.DataArray) -> Any:
    return raster.encoding.get("grid_mapping", raster.attrs.get("grid_mapping"))
