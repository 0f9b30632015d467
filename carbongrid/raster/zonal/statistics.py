"""Statistics per label: sum, count, mean, minimum, maximum, with one signature."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import reduce_blocks
from carbongrid.raster.georeference import inside, require_same_cells
from carbongrid.raster.kernels.halves import carried, whole
from carbongrid.raster.kernels.zonal import (
    MOST_QUANTA,
    Columns,
    combined,
    label_counts,
    label_minima,
    label_sums,
)
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown, labels_inside
from carbongrid.raster.zonal.quanta import scale_of, too_large
from carbongrid.raster.zonal.rasters import (
    described,
    flat_labels,
    flat_pair,
    flat_values,
    rows_of,
    sum_dtype,
    units,
    without,
)

# The result and what it is made from.
_BYTES_PER_LABEL = 16
_LOW_BITS = 32


def zonal_sum(values: Any, labels: Any, n: int, *, quantum: float | None = None) -> xr.DataArray:
    """Sum values per label.

    Parameters
    ----------
    values : real or integer [y, x]
        DataArray, NumPy, Dask or Zarr array. NaN, masked cells and cells of a nodata value that the raster declares
        (``_FillValue``, ``missing_value``, ``rio.nodata``) are unknown and count as nothing.
    labels : unsigned integer [y, x]
        Of the same cells: shape, order of dimensions and, where both tell, coordinates and CRS; 0 is nobody.
    n
        Largest label there can be.
    quantum
        Values are first rounded to multiples of it, so that the sums are exact: the same bits for any chunks, scheduler and
        number of threads. ``quantum_of`` proposes one. Default: real numbers are summed as they are, right to 1e-9.

    Returns
    -------
    xarray.DataArray, float64 or (of integers without quantum) int64 [label]
        Coordinate label = 1..n, computed; units as those of the values.

    Raises
    ------
    InputError
        If the cells differ, a label is above n, the values are scaled and not decoded, n sums would not fit into memory, or an exact sum would leave int64.
    """
    keys, sums, _ = _summed(values, labels, n, quantum)
    return _per_label((keys, sums), 0, n, values, "sum")


def zonal_count(values: Any, labels: Any, n: int) -> xr.DataArray:
    """Count the cells with a known value per label; parameters as for ``zonal_sum``, int64 [label]."""
    keys, _, counts = _reduced(_count_block, np.add, values, labels, n)
    found = _per_label((keys, counts), 0, n, values, "count")
    return found.assign_attrs(
        units="1", long_name=f"cells with known {described(values)} per label"
    )


def zonal_mean(values: Any, labels: Any, n: int, *, quantum: float | None = None) -> xr.DataArray:
    """Average the known values per label; as ``zonal_sum``, float64 [label], NaN where a label has none."""
    keys, sums, counts = _summed(values, labels, n, quantum)
    known = counts > 0
    return _per_label((keys[known], sums[known] / counts[known]), np.nan, n, values, "mean")


def zonal_min(values: Any, labels: Any, n: int) -> xr.DataArray:
    """Find the least known value per label; as ``zonal_sum``, float64 [label], NaN where a label has none.

    Raises
    ------
    InputError
        As ``zonal_sum``, and for integers beyond 2^53, which float64 cannot hold.
    """
    return _extreme(values, labels, n, 1.0)


def zonal_max(values: Any, labels: Any, n: int) -> xr.DataArray:
    """Find the largest known value per label; as ``zonal_min``."""
    return _extreme(values, labels, n, -1.0)


def counting(
    unknown: Unknown,
) -> tuple[Callable[..., Columns], Callable[[list[Columns]], Columns]]:
    """Return the partial and the merge that count cells and sum weights per label."""
    return functools.partial(_weights_block, unknown), combined


def _summed(values: Any, labels: Any, n: int, quantum: float | None) -> Columns:
    partial = functools.partial(_sums_block, scale=scale_of(quantum))
    keys, sums, counts = _reduced(partial, np.add, values, labels, n)
    if sums.dtype.kind == "i":
        try:
            sums = whole(sums)
        except OverflowError as error:
            raise too_large() from error
    return keys, sums if quantum is None else sums * float(quantum), counts


def _reduced(
    partial: Callable[..., Columns], reduce: np.ufunc, values: Any, labels: Any, n: int
) -> Columns:
    if n < 0:
        raise InputError(f"the number of labels must be >= 0, not {n}")
    require_room(_BYTES_PER_LABEL * n, f"sums of {n} labels", "Number the labels without gaps.")
    require_same_cells(values, labels)
    data = inside(values)
    sum_dtype(data.dtype)
    partial = functools.partial(partial, Unknown.of(values))
    merge = functools.partial(combined, reduce=reduce)
    try:
        columns: Columns = reduce_blocks(partial, merge, data, labels_inside(labels))
    except OverflowError as error:
        raise too_large() from error
    rows_of(columns[0], n)
    return columns


def _extreme(values: Any, labels: Any, n: int, sign: float) -> xr.DataArray:
    partial = functools.partial(_minima_block, sign=sign)
    keys, least, counts = _reduced(partial, np.minimum, values, labels, n)
    known = counts > 0
    name = "minimum" if sign > 0 else "maximum"
    return _per_label((keys[known], least[known] * sign), np.nan, n, values, name)


def _per_label(
    found: tuple[NDArray[np.uint64], NDArray[Any]], empty: float, n: int, values: Any, name: str
) -> xr.DataArray:
    keys, amounts = found
    result = np.full(n, empty, amounts.dtype)
    result[rows_of(keys, n)] = amounts
    label = ("label", np.arange(1, n + 1), {"long_name": "row number + 1", "units": "1"})
    return xr.DataArray(
        result,
        dims=("label",),
        coords={"label": label},
        name=name,
        attrs={"units": units(values), "long_name": f"{name} of {described(values)} per label"},
    )


def _sums_block(
    unknown: Unknown, values: Any, labels: Any, *, scale: float | None = None
) -> Columns:
    flat, numbers = flat_pair(values, labels, unknown)
    if scale is None and _largest(flat) >= MOST_QUANTA:
        return _sums_of_halves(flat, numbers)
    return label_sums(flat, numbers, scale)


def _largest(values: NDArray[Any]) -> int:
    """Size of the largest int64; types that cannot hold a large integer need no look."""
    if values.dtype != np.int64 or not values.size:
        return 0
    return max(-int(values.min()), int(values.max()))


def _sums_of_halves(values: NDArray[np.int64], labels: NDArray[np.uint32]) -> Columns:
    """Sum large integers exactly: each half of their bits on its own."""
    keys, high, counts = label_sums(values >> _LOW_BITS, labels)
    low = label_sums(values & (2**_LOW_BITS - 1), labels)[1]
    return keys, carried(np.stack([whole(high), whole(low)], axis=-1)), counts


def _count_block(unknown: Unknown, values: Any, labels: Any) -> Columns:
    if values.dtype.kind == "f":
        return label_sums(*flat_pair(values, labels, unknown))
    hidden, numbers = unknown.where(values), flat_labels(labels)
    return label_counts(numbers if hidden is None else without(hidden, numbers))


def _minima_block(unknown: Unknown, values: Any, labels: Any, *, sign: float) -> Columns:
    flat, numbers = flat_pair(values, labels, unknown)
    if _largest(flat) > 2**53:
        raise InputError("integers beyond 2^53 have no exact float64 minimum or maximum")
    return label_minima(flat, numbers, sign)


def _weights_block(unknown: Unknown, labels: Any, weights: Any = None) -> Columns:
    """Sum weights (without them, cells) and count cells per label."""
    numbers = flat_labels(labels)
    if weights is None:
        return label_counts(numbers)
    known = unknown.as_zero(weights).astype(np.float64, copy=False)
    if (known < 0).any() or np.isinf(known).any():
        raise InputError("a weight is negative or infinite", way_out="Mark what is unknown as NaN.")
    return label_sums(flat_values(np.nan_to_num(known, nan=0.0)), numbers)
