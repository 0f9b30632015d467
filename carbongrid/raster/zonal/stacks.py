"""Rasters with time, bands or other dimensions beside y and x, and Datasets of them: which dimensions are y and x, and what stays."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import cut_as_read
from carbongrid.raster.crs_of_rasters import grid_mapping
from carbongrid.raster.georeference import inside, is_chunked, is_zarr, plane_of, require_rows_first
from carbongrid.raster.polygons import Polygons

_CELLS_AHEAD, _BYTES_HELD = 2**25, 100_000_000
"""Where a file keeps several rasters of a stack in one block: cells that are read at once without Dask, 128 MB as float32, and bytes of a Dask block that waits for all its rasters."""

_OWN_NAMES = ("label", "id")
_NAME_AXES = 'Name them so, or in the attributes of their coordinates: axis = "Y" and axis = "X".'


def is_lazy(raster: Any) -> bool:
    """Tell whether a raster is backed by Dask or Zarr."""
    if isinstance(raster, xr.DataArray):
        return raster.chunks is not None
    return is_chunked(raster)


def y_and_x_last(values: Any, labels: Any) -> tuple[Any, Any]:
    """Return values with y and x last, and labels [y, x] (None where there are none), as far as both name their dimensions."""
    if is_zarr(values):
        # One band of a bare Zarr array cannot be had without reading it, so it has two dimensions.
        inside(values)
    if not isinstance(values, xr.DataArray):
        stack = values if hasattr(values, "ndim") else np.asarray(values)
        _require_some(stack.shape[:-2])
        return stack, labels
    plane = plane_in(values, labels)
    if plane is None:
        names = ", ".join(map(str, values.dims))
        raise InputError(f"which dimensions are y and x? These are {names}", hint=_NAME_AXES)
    leads = [dimension for dimension in values.dims if dimension not in plane]
    _require_some(tuple(values.sizes[dimension] for dimension in leads))
    if isinstance(labels, xr.DataArray):
        own = plane_of(labels)
        if own is not None and own != labels.dims:
            labels = labels.transpose(*own)
    elif labels is not None and not isinstance(labels, Polygons):
        # An array's rows are those of the raster as it stands.
        require_rows_first(values.isel(dict.fromkeys(leads, 0)))
    order = (*leads, *plane)
    return values if order == values.dims else _turned(values, order), labels


def _turned(values: xr.DataArray, order: tuple[Hashable, ...]) -> xr.DataArray:
    turned = values.transpose(*order)
    if values.chunks is None:
        # Where a file has y or x first, the next time or band lies beside this one.
        behind = [name for name in order[:-2] if values.dims.index(name) > 0]
        stored = {name: values.sizes[name] for name in behind}
        turned.encoding["preferred_chunks"] = values.encoding.get("preferred_chunks") or stored
    return turned


def _require_some(shape: tuple[int, ...]) -> None:
    if 0 in shape:
        raise InputError(f"the values hold no raster: there are {shape} of them")


def plane_in(values: xr.DataArray, labels: Any) -> tuple[Hashable, Hashable] | None:
    """Return a raster's dimensions y and x; where it does not tell, those that the labels have, or the two that there are."""
    found = plane_of(values)
    if found is None and isinstance(labels, xr.DataArray) and labels.ndim == 2:
        down, across = plane_of(labels) or labels.dims
        found = (down, across) if {down, across} <= set(values.dims) else None
    if found is None and values.ndim == 2:
        down, across = values.dims
        return down, across
    return found


def rasters_in(values: xr.Dataset, labels: Any) -> dict[Hashable, xr.DataArray]:
    """Return the variables that have y and x, or that may have where none of them tells."""
    own = set(labels.dims) if isinstance(labels, xr.DataArray) else None
    told = {
        name: variable
        for name, variable in values.data_vars.items()
        if plane_of(variable) is not None or (own is not None and own <= set(variable.dims))
    }
    maybe = {name: each for name, each in values.data_vars.items() if plane_in(each, labels)}
    if not maybe:
        raise InputError("the Dataset has no variable with dimensions y and x", hint=_NAME_AXES)
    return told or maybe


def each_layer(
    rasters: Mapping[Hashable, xr.DataArray], table: Callable[[xr.DataArray], xr.Dataset]
) -> dict[Hashable, xr.Dataset]:
    """Return the table of each variable of a Dataset; what is wrong with one is told with its name.

    Raises
    ------
    InputError
        As the tables do, and if a variable holds text, times or complex numbers.
    """
    found = {}
    for name, raster in rasters.items():
        if raster.dtype.kind not in "biuf":
            raise InputError(
                f"a layer of the type {raster.dtype} has no statistics",
                str(name),
                f"Leave it out: dataset.drop_vars({name!r}).",
            )
        try:
            found[name] = table(raster)
        except InputError as error:
            raise error.at(str(name)) from error
    return found


def _with_one_class(tables: Mapping[Hashable, xr.Dataset]) -> dict[Hashable, xr.Dataset]:
    """Return tables whose classes, where they have some, are the same numbers of one type.

    Raises
    ------
    InputError
        If a number is another one in the type of one layer than in that of another, as 0.1 in float32.
    """
    classes = [table["class"].to_numpy() for table in tables.values() if "class" in table.coords]
    if not classes:
        return dict(tables)
    common = np.result_type(*classes)
    first = classes[0].astype(common)
    if any(not np.array_equal(each.astype(common), first) for each in classes):
        raise InputError(
            "the classes are other numbers in the types of different layers",
            hint="Take one layer at a time, or give the layers one type: dataset.astype(...).",
        )
    one = ("class", first, {"long_name": "class"})
    return {name: table.assign_coords({"class": one}) for name, table in tables.items()}


def is_polygons(labels: Any) -> bool:
    """Tell whether these are polygons, not labels."""
    if isinstance(labels, xr.DataArray | xr.Dataset):
        return False
    if isinstance(labels, dict):  # GeoJSON, for which polygons have an error
        return True
    if isinstance(labels, list | tuple):
        # Of none, and of text, as WKT, no labels are made either.
        return not labels or any(
            hasattr(each, "geom_type") or isinstance(each, str) for each in labels
        )
    # A table without an active geometry column, the array inside of one, or a single shape.
    if hasattr(labels, "geom_type") or hasattr(labels, "set_geometry"):  # fmt: skip
        return True
    if isinstance(labels, np.ndarray):
        return bool(labels.dtype == object)
    return isinstance(labels, Polygons) or hasattr(labels, "geometry")


def id_values(ids: ArrayLike) -> NDArray[Any]:
    """Return ids in the type that they have in common, if there is one; text stays text."""
    row = np.asarray(ids, dtype=object)
    if row.ndim != 1:
        raise InputError(f"ids must be one row, one for each label, not of shape {row.shape}")
    return np.asarray(pd.Series(row, dtype=object).infer_objects().to_numpy())


def stacked_tables(
    values: Any, leads: int, each: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Return the tables of every raster [y, x] in a stack, stacked alike; lazy ones stay lazy."""
    if not leads:
        return each(values)
    parts = [stacked_tables(part, leads - 1, each) for part in _read_ahead(values)]
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def share_blocks(stack: Any, leads: int) -> bool:
    """Tell whether blocks of a lazy stack hold several of its rasters, as where a file keeps 250 days in one, and are small enough to be held until all are reduced."""
    chunks = getattr(stack, "chunks", None) or ()
    if not any(max(sides) > 1 for sides in chunks[:leads]):
        return False
    return bool(math.prod(map(max, chunks)) * stack.dtype.itemsize <= _BYTES_HELD)


def with_own_blocks(stack: Any) -> Any:
    """Return a lazy stack whose blocks are read as they were cut by whoever made it: of four days taken out of 240 the others are not read."""
    if isinstance(stack, xr.DataArray):
        return stack.copy(data=cut_as_read(stack.data))
    return cut_as_read(stack)


def read_once(raster: Any) -> Any:
    """Return what all rasters of a stack need in memory, if it lies in a file and is not lazy by Dask: else it is read with each of them."""
    if isinstance(raster, xr.DataArray) and raster.chunks is None:
        return raster.compute()
    return raster


def _read_ahead(values: Any) -> Iterator[Any]:
    """Yield what a stack holds along its first dimension; of a file that keeps several in one block they are read at once, as many as there is room for.

    One by one, a block of 250 days was unpacked 250 times: 300 MB of a year's kind took nine minutes, and take six seconds.
    """
    many = _kept_together(values)
    for first in range(0, values.shape[0], many):
        some = values[first : first + many]
        if many > 1:
            some = some.compute()
        yield from (some[i] for i in range(some.shape[0]))


def _kept_together(values: Any) -> int:
    if not isinstance(values, xr.DataArray) or values.chunks is not None:
        return 1
    blocks = values.encoding.get("preferred_chunks") or {}
    block = int(np.max(blocks.get(values.dims[0], 1)))
    room = _CELLS_AHEAD // max(math.prod(values.shape[1:]), 1)
    return max(min(block, room), 1)


def kept_dimensions(stack: Any, leads: int) -> tuple[Hashable, ...]:
    """Return the dimensions that stay."""
    names = getattr(stack, "dims", [f"dim_{axis}" for axis in range(leads)])[:leads]
    for name in names:
        if name in _OWN_NAMES:
            raise InputError(
                f"a dimension of the values is called {name!r}, as a coordinate of the result is",
                hint="Rename it: raster.rename(...).",
            )
    return tuple(names)


def kept_coordinates(stack: Any, kept: tuple[Hashable, ...]) -> dict[Hashable, Any]:
    """Return the coordinates along the dimensions that stay, and those of the whole, without the grid mapping."""
    if not isinstance(stack, xr.DataArray):
        return {}
    left_out = {grid_mapping(stack), "spatial_ref", "crs", *_OWN_NAMES}
    return {
        name: coordinate.variable
        for name, coordinate in stack.coords.items()
        if set(coordinate.dims) <= set(kept) and name not in left_out
    }


def merged_tables(tables: Mapping[Hashable, xr.Dataset], stats: Iterable[str]) -> xr.Dataset:
    """Return the tables of a Dataset's variables as one, each statistic as ``VARIABLE_STATISTIC``."""
    parts = [
        table.rename({stat: f"{name}_{stat}" for stat in stats})
        for name, table in _with_one_class(tables).items()
    ]
    return xr.merge(parts, join="exact", compat="identical", combine_attrs="override")
