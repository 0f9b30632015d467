"""What every reduction asks of its rasters: the data inside, the same cells, flat blocks that kernels take."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.chunked.arrays import is_chunked
from carbongrid.errors import InputError
from carbongrid.kernels.jit import sealed
from carbongrid.overlaps import as_labels, require_same_order

# Kernels are compiled for these only; other types are converted block by block.
_NATIVE = {np.dtype(name) for name in ("int32", "int64", "uint32", "float32", "float64")}


def inside(array: Any) -> Any:
    """Return the NumPy, Dask or Zarr array [y, x] inside.

    Raises
    ------
    InputError
        If it has not two dimensions.
    """
    data = array.data if isinstance(array, xr.DataArray) else array
    data = data if is_chunked(data) else np.asarray(data)
    if data.ndim != 2:
        raise InputError(f"a raster has two dimensions, this one {data.ndim}")
    return data


def require_same_cells(values: Any, labels: Any) -> None:
    """Raise unless two rasters have the same shape and, where both tell, the same order of dimensions and coordinates.

    Raises
    ------
    InputError
        If they differ.
    """
    require_same_order(values, labels)
    if values.shape != labels.shape:
        raise InputError(f"the rasters differ in shape: {values.shape} and {labels.shape}")
    if not (isinstance(values, xr.DataArray) and isinstance(labels, xr.DataArray)):
        return
    for axis in ("x", "y"):
        if axis in values.coords and axis in labels.coords:
            reach = 1e-6 * abs(step(labels[axis].to_numpy()))
            apart = np.abs(values[axis].to_numpy() - labels[axis].to_numpy())
            if apart.max(initial=0) > reach:
                raise InputError(
                    f"the rasters' cells differ in {axis}", way_out="Put them on one grid first."
                )


def step(centres: NDArray[np.float64]) -> float:
    """Return the distance from one centre to the next, 0 for a single one."""
    return float(centres[-1] - centres[0]) / (centres.size - 1) if centres.size > 1 else 0.0


def units(values: Any) -> str:
    """Return the units that a raster states, or 1."""
    return str(getattr(values, "attrs", {}).get("units", "1"))


def described(values: Any) -> str:
    """Return what a raster says it holds."""
    if not isinstance(values, xr.DataArray):
        return "values"
    return str(values.attrs.get("long_name") or values.name or "values")


def sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of sums: int64 of integers, float64 of reals.

    Raises
    ------
    InputError
        If the values are neither.
    """
    if dtype.kind in "biu":
        return np.dtype(np.int64)
    if dtype.kind == "f":
        return np.dtype(np.float64)
    raise InputError(f"values must be real numbers or integers, not {dtype}")


def flat_values(values: Any) -> NDArray[Any]:
    """Return a block's values in a row, in a type that kernels take.

    Raises
    ------
    OverflowError
        If an unsigned integer is above int64.
    """
    block = np.asarray(values)
    dtype = block.dtype
    if dtype == np.uint64 and block.size and block.max() >= 2**63:
        raise OverflowError
    if dtype not in _NATIVE:
        small = np.int32 if dtype.itemsize < 4 else np.int64
        real = np.float32 if dtype.itemsize < 4 else np.float64
        dtype = np.dtype(real if dtype.kind == "f" else small)
    return sealed(block, dtype).reshape(-1)


def flat_labels(labels: Any) -> NDArray[np.uint32]:
    """Return a block's labels in a row."""
    return sealed(as_labels(labels), np.uint32).reshape(-1)


def rows_of(keys: NDArray[Any], size: int) -> NDArray[np.int64]:
    """Return label - 1.

    Raises
    ------
    InputError
        If a label is above the size.
    """
    if keys.size and keys.max() > size:
        raise InputError(f"label {keys.max()} is above the largest there can be, {size}")
    return keys.astype(np.int64) - 1
