"""What every reduction asks of its rasters: what they hold, and flat blocks that kernels take."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.nodata import Unknown, band_of
from carbongrid.raster.pair_counts import as_labels

# Kernels are compiled for these only; other types are converted block by block.
_NATIVE = {np.dtype(name) for name in ("int32", "int64", "uint32", "float32", "float64")}


def require_whole(number: Any, what: str) -> int:
    """Return a whole number, also where it is one of NumPy.

    Raises
    ------
    InputError
        If it is of another type, as 2.0 is.
    """
    try:
        return operator.index(number)
    except TypeError:
        raise InputError(
            f"{what}, a whole number, not {number!r}", hint="Take int(...) of it."
        ) from None


def units(values: Any) -> str:
    """Return the units that a raster states, or 1; those of all bands where they differ."""
    return _of_bands(values, "units", "1") or "1"


def described(values: Any) -> str:
    """Return what a raster says it holds."""
    if not isinstance(values, xr.DataArray):
        return "values"
    return _of_bands(values, "long_name", "") or str(values.name or "values")


def _of_bands(values: Any, name: str, untold: str) -> str:
    """Return an attribute as text; of several bands, as rioxarray has them in a row, that of the band, or the different ones."""
    told = getattr(values, "attrs", {}).get(name)
    if not isinstance(told, tuple | list):
        return "" if told is None else str(told)
    band = band_of(values)
    own = told if band is None else told[band - 1 : band]
    return ", ".join(dict.fromkeys(str(each or untold) for each in own if each or untold))


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
    raise no_numbers(dtype)


def no_numbers(dtype: np.dtype[Any]) -> InputError:
    """Return the error of values that are neither real numbers nor integers."""
    return InputError(
        f"values must be real numbers or integers, not {dtype}",
        hint="Take a part of complex numbers, values.real or abs(values); values / np.timedelta64(1, 'D') of differences of times; values.astype(float) of text.",
    )


def flat_values(values: Any) -> NDArray[Any]:
    """Return a block's values in a row, in a type that kernels take.

    Raises
    ------
    OverflowError
        If an unsigned integer is above int64.
    """
    block = np.asarray(values)
    dtype = block.dtype
    if dtype.kind == "u" and dtype.itemsize == 8 and block.size and block.max() >= 2**63:
        raise OverflowError
    if dtype not in _NATIVE:
        small = np.int32 if dtype.itemsize < 4 else np.int64
        real = np.float32 if dtype.itemsize < 4 else np.float64
        dtype = np.dtype(real if dtype.kind == "f" else small)
    return as_readonly_contiguous(block, dtype).reshape(-1)


def flat_labels(labels: Any) -> NDArray[np.uint32]:
    """Return a block's labels in a row."""
    return as_readonly_contiguous(as_labels(labels), np.uint32).reshape(-1)


def flat_pair(
    values: Any, labels: Any, unknown: Unknown
) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    """Return a block's values and labels in rows; a cell whose value is unknown is background.

    So sums of integers stay exact, and nothing is made a float.
    """
    hidden, numbers = unknown.where(values), flat_labels(labels)
    if hidden is None:
        return flat_values(values), numbers
    return flat_values(unknown.as_zero(values)), without(hidden, numbers)


def without(hidden: NDArray[np.bool_], numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return a row of labels in which hidden cells are background."""
    return as_readonly_contiguous(np.where(hidden.reshape(-1), np.uint32(0), numbers), np.uint32)


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
