"""Statistics per label: sum, count, mean, minimum, maximum, with one signature."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem, warn_of
from carbongrid.raster.areal_scale import LIMIT
from carbongrid.raster.chunked.arrays import reduce_blocks, reduce_later, rows_later
from carbongrid.raster.georeference import inside, is_chunked, plane_of, require_same_cells
from carbongrid.raster.kernels.hi_lo import carry, combine_hi_lo
from carbongrid.raster.kernels.zonal import (
    MAX_QUANTA,
    Columns,
    combined,
    label_counts,
    label_minima,
    label_sums,
)
from carbongrid.raster.lattice import row_heights
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown, labels_inside, warn_of_zeros
from carbongrid.raster.pair_counts import as_labels
from carbongrid.raster.zonal.quanta import refusing, scale_of
from carbongrid.raster.zonal.rasters import (
    described,
    flat_labels,
    flat_pair,
    flat_values,
    require_whole,
    rows_of,
    sum_dtype,
    units,
    without,
)

# The result and what it is made from.
_BYTES_PER_LABEL = 16
_LOW_BITS = 32
# Of more rows some are looked at, evenly apart: all of them took as long as the means.
_ROWS_LOOKED_AT = 500

STATISTICS = {
    "count": "count",
    "sum": "sum",
    "mean": "mean",
    "min": "minimum",
    "max": "maximum",
}
"""Statistics by the names that ``zonal_stats`` takes, and what they are called."""

_SIGNS = {"min": 1.0, "max": -1.0}

type _Tables = dict[str, Columns]


def zonal_sum(values: Any, labels: Any, n: int, *, quantum: float | None = None) -> xr.DataArray:
    """Sum values per label.

    Parameters
    ----------
    values : real or integer [y, x]
        DataArray, NumPy, Dask or Zarr array. NaN, masked cells and cells of a nodata value that the raster declares
        (``_FillValue``, ``missing_value``, ``rio.nodata``) are unknown and count as nothing.
    labels : unsigned integer [y, x]
        Of the same cells: shape, order of dimensions and, where both tell, coordinates and CRS; 0 is background.
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
    return _computed("sum", values, labels, n, quantum)


def zonal_count(values: Any, labels: Any, n: int) -> xr.DataArray:
    """Count the cells with a known value per label.

    Parameters
    ----------
    values, labels, n
        As for :func:`zonal_sum`.

    Returns
    -------
    DataArray
        int64 [label].

    Raises
    ------
    InputError
        As :func:`zonal_sum`.
    """
    return _computed("count", values, labels, n)


def zonal_mean(values: Any, labels: Any, n: int, *, quantum: float | None = None) -> xr.DataArray:
    """Average the known values per label.

    Parameters
    ----------
    values, labels, n, quantum
        As for :func:`zonal_sum`.

    Returns
    -------
    DataArray
        float64 [label], NaN where a label has no known value.

    Raises
    ------
    InputError
        As :func:`zonal_sum`.

    Notes
    -----
    All cells count alike: where the rasters say that they are squares of degrees, and those of one label in memory differ in area by more than 2 %, a warning says so.
    """
    return _computed("mean", values, labels, n, quantum)


def zonal_min(values: Any, labels: Any, n: int) -> xr.DataArray:
    """Find the least known value per label.

    Parameters
    ----------
    values, labels, n
        As for :func:`zonal_sum`.

    Returns
    -------
    DataArray
        float64 [label], NaN where a label has no known value.

    Raises
    ------
    InputError
        As :func:`zonal_sum`, and for integers beyond 2^53, which float64 cannot hold.
    """
    return _computed("min", values, labels, n)


def zonal_max(values: Any, labels: Any, n: int) -> xr.DataArray:
    """Find the largest known value per label.

    Parameters
    ----------
    values, labels, n
        As for :func:`zonal_sum`.

    Returns
    -------
    DataArray
        float64 [label], NaN where a label has no known value.

    Raises
    ------
    InputError
        As :func:`zonal_min`.
    """
    return _computed("max", values, labels, n)


def counting(
    unknown: Unknown,
) -> tuple[Callable[..., Columns], Callable[[list[Columns]], Columns]]:
    """Return the partial and the merge that count cells and sum weights per label."""
    return functools.partial(_weights_block, unknown), combined


def tables_of(
    values: Any,
    labels: Any,
    n: int,
    stats: Sequence[str],
    *,
    quantum: float | None = None,
    unknown: Unknown | None = None,
    later: bool = False,
    shared: bool = False,
) -> dict[str, Any]:
    """Return statistics of one raster: the one way by which all of them are made, in one reading.

    Parameters
    ----------
    values, labels, n, quantum
        As for ``zonal_sum``.
    stats
        Names of ``STATISTICS``.
    unknown
        What the values declare; default what is read off them.
    later
        Read nothing now.
    shared
        Blocks of lazy values hold other rasters, too, which are reduced with this one.

    Returns
    -------
    dict of arrays [label]
        By name: counts and sums of integers int64, others float64. Dask arrays if later: what is wrong with labels and sums is
        then found when they are computed.
    """
    require_whole(n, "n is the largest label")
    if n < 0:
        raise InputError(f"the number of labels must be >= 0, not {n}")
    require_room(_BYTES_PER_LABEL * n, f"sums of {n} labels", "Number the labels without gaps.")
    require_same_cells(values, labels)
    data = inside(values)
    kinds = _dtypes(data.dtype, stats, quantum)
    needs = _needs(stats)
    unknown = Unknown.of(values) if unknown is None else unknown
    block = functools.partial(_tables_block, needs, scale_of(quantum), unknown)
    partial = functools.partial(refusing, block)
    merge = functools.partial(refusing, functools.partial(_merged, needs))
    finish = functools.partial(_finished, tuple(stats), n, quantum)
    arrays = (data, labels_inside(labels))
    if later:
        made = reduce_later(partial, merge, finish, *arrays, shared=shared)
        return rows_later(made, kinds, n)
    return finish(reduce_blocks(partial, merge, *arrays))


def warn_of_degrees(values: Any, labels: Any, stats: Sequence[str], n: int) -> None:
    """Warn of means per label where rasters say that their cells are squares of degrees, and these differ in area inside of one label; of labels that are not in memory nothing is known."""
    if "mean" not in stats:
        return
    heights = next((each for each in map(row_heights, (values, labels)) if each is not None), None)
    data = labels_inside(labels)
    if heights is None or is_chunked(data) or not _apart(heights) > 1 + LIMIT:
        return
    rows = data.T if isinstance(labels, xr.DataArray) and _is_turned(labels) else data
    ratio = _apart_in_labels(heights, rows, int(n)) if len(rows) == heights.size else 1.0
    if ratio > 1 + LIMIT:
        warn_of(
            Problem(
                f"cells count alike in means per label, and on this geographic grid those of one label have up to {ratio:.3g} times the area of each other",
                hint='Give the polygons in place of the labels, with weights="area", or divide zonal_sum(values * areas, ...) by zonal_sum(areas, ...).',
            )
        )


def _is_turned(labels: xr.DataArray) -> bool:
    plane = plane_of(labels)
    return plane is not None and labels.dims[0] == plane[1]


def _apart(heights: NDArray[np.float64]) -> float:
    known = heights[heights > 0]
    return float(known.max() / known.min()) if known.size else 1.0


def _apart_in_labels(heights: NDArray[np.float64], labels: NDArray[Any], n: int) -> float:
    """Return how many times as large as the smallest cell of its own the largest of any label 1..n is, by rows evenly apart."""
    if not labels.size or n < 1:
        return 1.0
    rows = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), _ROWS_LOOKED_AT)).astype(int))
    rows = rows[heights[rows] > 0]
    ascending = rows[np.argsort(heights[rows], kind="stable")]
    smallest, largest = np.ones(n + 1), np.ones(n + 1)
    # The last row that is written stays.
    for found, order in ((largest, ascending), (smallest, ascending[::-1])):
        for row in order.tolist():
            own = as_labels(labels[row])
            found[own[own <= n]] = heights[row]
    return float((largest[1:] / smallest[1:]).max())


def attributes_of(stat: str, values: Any) -> dict[str, str]:
    """Return units and long name of a statistic: a count is of cells, the others are in the values' units."""
    what = described(values)
    if stat == "count":
        return {"units": "1", "long_name": f"cells with known {what} per label"}
    return {"units": units(values), "long_name": f"{STATISTICS[stat]} of {what} per label"}


def label_coordinate(n: int) -> tuple[str, NDArray[np.int64], dict[str, str]]:
    """Return the coordinate label = 1..n."""
    return "label", np.arange(1, n + 1), {"long_name": "row number + 1", "units": "1"}


def _computed(
    stat: str, values: Any, labels: Any, n: int, quantum: float | None = None
) -> xr.DataArray:
    table = tables_of(values, labels, n, (stat,), quantum=quantum)[stat]
    warn_of_degrees(values, labels, (stat,), n)
    warn_of_zeros(values, (stat,))
    return xr.DataArray(
        table,
        dims=("label",),
        coords={"label": label_coordinate(n)},
        name=STATISTICS[stat],
        attrs=attributes_of(stat, values),
    )


def _needs(stats: Sequence[str]) -> tuple[str, ...]:
    """Return which tables statistics are made of: where values are summed, their cells are counted on the way."""
    wanted = {"sum" if stat == "mean" else stat for stat in stats}
    return tuple(sorted(wanted - {"count"} if "sum" in wanted else wanted))


def _dtypes(
    dtype: np.dtype[Any], stats: Sequence[str], quantum: float | None
) -> dict[str, np.dtype[Any]]:
    kinds: dict[str, np.dtype[Any]] = dict.fromkeys(stats, np.dtype(np.float64))
    sums = sum_dtype(dtype)
    if "count" in kinds:
        kinds["count"] = np.dtype(np.int64)
    if "sum" in kinds and quantum is None:
        kinds["sum"] = sums
    return kinds


def _merged(needs: tuple[str, ...], parts: list[_Tables]) -> _Tables:
    reduce = {"count": np.add, "sum": np.add, "min": np.minimum, "max": np.minimum}
    return {need: combined([part[need] for part in parts], reduce[need]) for need in needs}


def _finished(
    stats: tuple[str, ...], n: int, quantum: float | None, tables: _Tables
) -> dict[str, NDArray[Any]]:
    for keys, _, _ in tables.values():
        rows_of(keys, n)
    if "sum" in tables:
        keys, sums, counts = tables["sum"]
        if sums.dtype.kind == "i":
            sums = refusing(combine_hi_lo, sums)
        tables = tables | {
            "sum": (keys, sums if quantum is None else sums * float(quantum), counts)
        }
    return {stat: _row(stat, n, tables) for stat in stats}


def _row(stat: str, n: int, tables: _Tables) -> NDArray[Any]:
    """Return a statistic of labels 1..n from the tables."""
    need = "sum" if stat == "mean" or (stat == "count" and "sum" in tables) else stat
    keys, amounts, counts = tables[need]
    if stat == "count":
        return _filled(keys, counts, 0, n)
    if stat == "sum":
        return _filled(keys, amounts, 0, n)
    known = counts > 0
    if stat == "mean":
        return _filled(keys[known], _quotients(amounts[known], counts[known]), np.nan, n)
    return _filled(keys[known], amounts[known] * _SIGNS[stat], np.nan, n)


def _quotients(sums: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return sums by counts, rounded once: as a float, a sum of integers beyond 2^53 would be rounded before."""
    found: NDArray[np.float64] = sums / counts
    if sums.dtype.kind == "i":
        large = np.flatnonzero((sums > 2**53) | (sums < -(2**53)))
        pairs = zip(sums[large].tolist(), counts[large].tolist(), strict=True)
        found[large] = [total / number for total, number in pairs]
    return found


def _filled(keys: NDArray[np.uint64], amounts: NDArray[Any], empty: float, n: int) -> NDArray[Any]:
    row = np.full(n, empty, amounts.dtype)
    row[rows_of(keys, n)] = amounts
    return row


def _tables_block(
    needs: tuple[str, ...], scale: float | None, unknown: Unknown, values: Any, labels: Any
) -> _Tables:
    make: dict[str, Callable[[], Columns]] = {
        "count": lambda: _count_block(unknown, values, labels),
        "sum": lambda: _sums_block(unknown, values, labels, scale=scale),
        "min": lambda: _minima_block(unknown, values, labels, sign=_SIGNS["min"]),
        "max": lambda: _minima_block(unknown, values, labels, sign=_SIGNS["max"]),
    }
    return {need: make[need]() for need in needs}


def _sums_block(unknown: Unknown, values: Any, labels: Any, *, scale: float | None) -> Columns:
    flat, numbers = flat_pair(values, labels, unknown)
    if scale is None and _largest(flat) >= MAX_QUANTA:
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
    return keys, carry(np.stack([combine_hi_lo(high), combine_hi_lo(low)], axis=-1)), counts


def _count_block(unknown: Unknown, values: Any, labels: Any) -> Columns:
    if values.dtype.kind == "f":
        return label_sums(*flat_pair(values, labels, unknown))
    hidden, numbers = unknown.where(values), flat_labels(labels)
    return label_counts(numbers if hidden is None else without(hidden, numbers))


def _minima_block(unknown: Unknown, values: Any, labels: Any, *, sign: float) -> Columns:
    flat, numbers = flat_pair(values, labels, unknown)
    # Only int64 holds such, and the labelled values are a copy: of floats it took as long as the minima.
    if flat.dtype == np.int64 and _largest(flat[numbers > 0]) > 2**53:
        raise InputError("integers beyond 2^53 have no exact float64 minimum or maximum")
    return label_minima(flat, numbers, sign)


def _weights_block(unknown: Unknown, labels: Any, weights: Any = None) -> Columns:
    """Sum weights (without them, cells) and count cells per label."""
    numbers = flat_labels(labels)
    if weights is None:
        return label_counts(numbers)
    known = unknown.as_zero(weights).astype(np.float64, copy=False)
    if (known < 0).any() or np.isinf(known).any():
        raise InputError("a weight is negative or infinite", hint="Mark what is unknown as NaN.")
    return label_sums(flat_values(np.nan_to_num(known, nan=0.0)), numbers)
