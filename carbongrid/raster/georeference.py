"""What a raster says of itself: the array inside and the order of its axes. Every function of two rasters asks here whether their cells are the same."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.axis_units import axis_of_angle
from carbongrid.raster.crs_of_rasters import require_one_crs

# In cells. Coordinates that were rounded to some digits, or to float32, still say the same.
NEAR = 1e-3
_NAMES = {
    "x": {"x", "lon", "long", "longitude", "easting"},
    "y": {"y", "lat", "latitude", "northing"},
}
_STANDARD_NAMES = {
    "projection_x_coordinate": "x",
    "projection_y_coordinate": "y",
    "longitude": "x",
    "latitude": "y",
}
_PLACES = re.compile(
    r"(?:^|_)(?:(?:x|t|u|v|geo)?(?:latitude|longitude|lat|lon)|[xtuv]long)[cs]?(?![a-z])|^long$"
)
"""In names of longitudes and latitudes of single cells, as models have them."""


def is_zarr(array: Any) -> bool:
    """Tell whether an array is a Zarr array, without importing Zarr."""
    return type(array).__module__.partition(".")[0] == "zarr"


def is_chunked(array: Any) -> bool:
    """Tell whether an array is a Dask or a Zarr array, without importing either."""
    return hasattr(array, "dask") or is_zarr(array)


def inside(raster: Any) -> Any:
    """Return the NumPy (also masked), Dask or Zarr array [y, x] inside a raster; one that lies in a file is read.

    Raises
    ------
    InputError
        If it is a Dataset, polygons, or has not two dimensions.
    """
    require_raster(raster)
    data = raster.data if isinstance(raster, xr.DataArray) else raster
    return data if is_chunked(data) or isinstance(data, np.ma.MaskedArray) else np.asarray(data)


def file_of(raster: Any) -> str:
    """Return the name of the file that a raster was read from; blank where it is not told, as of what was computed."""
    told = raster.encoding.get("source", "") if isinstance(raster, xr.DataArray) else ""
    return Path(str(told)).name


@contextmanager
def named_by_its_file(raster: Any) -> Iterator[None]:
    """Give what is wrong with a raster the name of its file, where it has no place of its own."""
    try:
        yield
    except InputError as error:
        raise error.at(file_of(raster)) from error


def require_raster(raster: Any) -> None:
    """Raise unless this is a raster [y, x]; one that lies in a file is not read.

    Raises
    ------
    InputError
        If it is a Dataset, polygons, or has not two dimensions.
    """
    if isinstance(raster, str | os.PathLike):
        raise InputError(
            "this is a path, and a raster is wanted",
            os.fspath(raster),
            'Open it first: import rioxarray; raster = rioxarray.open_rasterio(path, chunks=True).squeeze("band", drop=True), or xarray.open_dataset(path, decode_coords="all")[name].',
        )
    if isinstance(raster, xr.Dataset):
        names = ", ".join(map(repr, raster.data_vars)) or "none"
        raise InputError(
            f"a Dataset holds several rasters ({names}), and one is wanted",
            hint="Take one by its name: dataset[name].",
        )
    data = raster
    if not isinstance(raster, xr.DataArray):  # which may have a coordinate of either name
        if hasattr(raster, "ring_start") or hasattr(raster, "geometry"):
            raise _polygons()
        if not (is_chunked(raster) or isinstance(raster, np.ma.MaskedArray)):
            data = np.asarray(raster)
    if data.dtype == object:
        raise _polygons()
    if data.ndim != 2:
        named = f": {', '.join(map(str, raster.dims))}" if hasattr(raster, "dims") else ""
        raise InputError(
            f"a raster has two dimensions, this one {data.ndim}{named}",
            hint="Take one band: raster.isel(band=0).",
        )
    if any(side != side for side in data.shape):
        raise InputError("the raster's chunks are of unknown size", hint="Call its compute_chunk_sizes() first.")  # fmt: skip


def require_same_cells(*rasters: Any) -> None:
    """Raise unless rasters have the same cells as far as they tell: shape, order of dimensions, coordinates, CRS.

    Arrays without names and coordinates are taken to lie as the others do.

    Raises
    ------
    InputError
        If they differ.
    """
    for raster in rasters:
        require_raster(raster)
    shapes = [np.shape(raster) for raster in rasters]
    named = [raster for raster in rasters if isinstance(raster, xr.DataArray)]
    for raster in named[1:]:
        _require_same_order(named[0], raster)
    if len(named) < len(rasters):
        for raster in named:
            require_rows_first(raster)
    for shape in shapes[1:]:
        if shape != shapes[0]:
            raise InputError(f"the rasters differ in shape: {shapes[0]} and {shape}")
    for raster in named[1:]:
        _require_same_place(named[0], raster)


def require_rows_first(raster: Any) -> None:
    """Raise if a raster names x before y.

    Raises
    ------
    InputError
        If so.
    """
    if isinstance(raster, xr.DataArray) and _axes(raster)[0] == "x":
        raise _another_order(raster)


def plane_of(raster: xr.DataArray) -> tuple[Any, Any] | None:
    """Return the names of a raster's dimensions y and x, in this order; None where neither attributes nor names tell."""
    axes = _axes(raster)
    if axes.count("y") == axes.count("x") == 1:
        return raster.dims[axes.index("y")], raster.dims[axes.index("x")]
    return None


def is_in_angles(raster: xr.DataArray) -> bool:
    """Tell whether a raster without a CRS has longitudes and latitudes nevertheless, by names or attributes."""
    return any(is_angle(raster[axis]) for axis in raster.dims if axis in raster.coords)


def is_place(coordinate: xr.DataArray) -> bool:
    """Tell whether a coordinate is of longitudes or latitudes, as those of single cells are called, too: XLAT, nav_lon."""
    return is_angle(coordinate) or _PLACES.search(str(coordinate.name).lower()) is not None


def is_angle(place: xr.DataArray) -> bool:
    """Tell whether a coordinate is of longitudes or latitudes, by its attributes or its usual names."""
    return (
        axis_of_angle(place.attrs.get("units")) is not None
        or str(place.attrs.get("standard_name", "")) in ("longitude", "latitude")
        or str(place.name).lower() in ("lon", "lat", "long", "longitude", "latitude")
    )


def _axes(raster: xr.DataArray) -> tuple[str, ...]:
    """Return what each dimension is."""
    return tuple(axis_of(raster, dimension) for dimension in raster.dims)


def axis_of(raster: xr.DataArray | xr.Dataset, dimension: Any) -> str:
    """Return what a dimension is, x or y or its own name, by CF attributes of its coordinate, else by its name."""
    if dimension in raster.coords:
        attributes = raster.coords[dimension].attrs
        told = (
            _STANDARD_NAMES.get(str(attributes.get("standard_name", ""))),
            axis_of_angle(attributes.get("units")),
            {"X": "x", "Y": "y"}.get(str(attributes.get("axis", ""))),
        )
        if any(told):
            return next(filter(None, told))
    name = str(dimension)
    return next((axis for axis, names in _NAMES.items() if name.lower() in names), name)


def _require_same_order(a: xr.DataArray, b: xr.DataArray) -> None:
    if a.dims == b.dims:
        return
    first, second = _axes(a), _axes(b)
    # Where only one tells what is what, the other one is taken as an array is: rows first.
    columns_first = ("x", "y") in (first, second)
    if first != second and (set(first) == set(second) or columns_first):
        raise _another_order(a, b)


def _another_order(*rasters: xr.DataArray) -> InputError:
    wrong = next((raster for raster in rasters if _axes(raster)[0] == "x"), rasters[0])
    turned = ", ".join(f'"{dimension}"' for dimension in reversed(wrong.dims))
    return InputError(
        f"the rasters' dimensions are in another order: {' and '.join(str(tuple(raster.dims)) for raster in rasters)}",
        hint=f"Transpose first: raster.transpose({turned}).",
    )


def _require_same_place(a: xr.DataArray, b: xr.DataArray) -> None:
    for of_a, of_b in zip(a.dims, b.dims, strict=True):
        if of_a in a.coords and of_b in b.coords:
            _require_same_centres(a[of_a].to_numpy(), b[of_b].to_numpy(), str(of_a))
    require_one_crs(a, b)


def _require_same_centres(a: NDArray[Any], b: NDArray[Any], axis: str) -> None:
    if a.dtype.kind not in "biuf" or b.dtype.kind not in "biuf":
        same, turned = np.array_equal(a, b), False
    else:
        # A single row or column has no step, and its place is compared in shares of itself.
        a, b = a.astype(np.float64), b.astype(np.float64)
        reach = NEAR * abs(step(a)) if a.size > 1 else 1e-9 * np.abs(a).max(initial=0)
        same = bool((np.abs(b - a) <= reach).all())
        turned = bool((np.abs(b[::-1] - a) <= reach).all())
    if not same:
        hint = "Put them on one grid first."
        if turned:
            hint = f'They run in opposite directions. Sort one: raster.sortby("{axis}").'
        raise InputError(f"the rasters' cells differ in {axis}", hint=hint)


def step(centres: NDArray[Any]) -> float:
    """Return the distance from one centre to the next, 0 for a single one."""
    return (float(centres[-1]) - float(centres[0])) / max(centres.size - 1, 1)


def _polygons() -> InputError:
    return InputError(
        "these are polygons or other objects, and a raster is wanted",
        hint="cg.rasterize(polygons, grid) makes labels of polygons; numbers that are kept as objects are raster.astype(float).",
    )
