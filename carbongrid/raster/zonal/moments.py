"""Sums of values by shares of cells, put together from blocks in any order, and the statistics that come of them (docs/decisions/0063)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.kernels.bins import BINS, BITS, pairs_of_bins
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.moments import (
    SQUARES,
    SUM,
    SUMS,
    WEIGHTS,
    Edges,
    ShareBins,
    Spans,
    nothing_found,
    polygon_moments,
    whole_number_moments,
)
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.zonal.quanta import too_large
from carbongrid.raster.zonal.rasters import no_numbers

MOMENTS = {
    "count": "cells",
    "sum": "sum",
    "mean": "mean",
    "min": "minimum",
    "max": "maximum",
    "std": "standard deviation",
    "variance": "variance",
    "valid_fraction": "share of the polygon that is known",
}
"""Statistics that are made of sums and extremes, and what they are called."""

_SPLITTER = 2.0**27 + 1.0
_WHOLE = 2**53
_FLOATS = [np.dtype(name) for name in ("float32", "float64")]
_SHORT_INTEGERS = [np.dtype(name) for name in ("uint8", "int8", "uint16", "int16")]

type Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Numbers, and what they were rounded by."""


class Table(NamedTuple):
    """What polygons that have cells in a block have there, as ``polygon_moments`` gives it."""

    polygons: NDArray[np.int64]
    cells: NDArray[np.int64]
    extremes: NDArray[np.float64]
    tops: NDArray[np.int64]
    sums: NDArray[np.int64]


def block_moments(
    values: NDArray[Any],
    weights: NDArray[np.float64] | None,
    corner: tuple[int, int],
    shares: tuple[Spans, Edges, ShareBins],
    polygons: NDArray[np.int64],
    order: int,
    *,
    ends: bool = True,
    hidden: float = np.nan,
) -> Table:
    """Return the table of a block, whose first cell is at ``corner`` of the grid; least and largest values only where ``ends`` says so.

    Of floats, or, where there are no weights, of short integers; ``hidden`` is unknown, as NaN is.

    Raises
    ------
    InputError
        If a value or a weight is infinite or beyond 2^450, or weight times square beyond 2^989 where squares are summed.
    """
    block = as_readonly_contiguous(values, values.dtype)
    columns = nothing_found(polygons.size)
    asked = (corner, *shares, polygons, order, ends, columns)
    ordinary = True
    if values.dtype in _SHORT_INTEGERS and weights is None:
        whole_number_moments(block, hidden, *asked)
    else:
        weighed = as_readonly_contiguous(np.empty((0, 0)) if weights is None else weights, np.float64)  # fmt: skip
        ordinary = polygon_moments(block, hidden, weighed, *asked)
    if not ordinary:
        raise InputError(
            "a value or a weight is infinite or beyond 2^450, or weight times square beyond 2^989, and has no sum",
            hint="Mark what is unknown as NaN; min and max can be asked for alone.",
        )
    met = columns[0][:, 0] > 0
    if met.all():
        cells, keys, tops, sums = columns
    else:
        polygons, cells, keys, tops, sums = (column[met] for column in (polygons, *columns))
    return Table(polygons, cells, _of_keys(keys), tops, sums)


def _of_keys(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the floats of keys that are in the same order; zero has no sign."""
    bits = keys ^ ((keys >> 63) & np.iinfo(np.int64).max)
    return bits.view(np.float64) + 0.0


def merged_moments(tables: list[Table]) -> Table:
    """Put tables together; their order does not matter."""
    polygons, cells, extremes, tops, sums = (
        np.concatenate(column) for column in zip(*tables, strict=True)
    )
    if (polygons[1:] > polygons[:-1]).all():
        return Table(polygons, cells, extremes, tops, sums)
    order = np.argsort(polygons, kind="stable")
    polygons = polygons[order]
    first = np.flatnonzero(np.concatenate([[True], polygons[1:] != polygons[:-1]]))
    sizes = np.diff(np.append(first, polygons.size))
    highest = np.maximum.reduceat(tops[order], first)
    down = np.repeat(highest, sizes, axis=0) - tops[order]
    moved = moved_down(sums[order], down)
    least = np.minimum.reduceat(extremes[order, 0], first)
    most = np.maximum.reduceat(extremes[order, 1], first)
    return Table(
        polygons[first],
        np.add.reduceat(cells[order], first),
        np.stack([least, most], axis=-1),
        highest,
        np.add.reduceat(moved, first),
    )


def moved_down(sums: NDArray[np.int64], down: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return sums with so many empty bins on top; what falls below the lowest one is left out."""
    place = np.arange(BINS) - down[..., None]
    moved = np.take_along_axis(sums, np.maximum(place, 0), axis=-1)
    return np.where(place >= 0, moved, 0)


def empty_moments() -> Table:
    """Return the table of no polygon."""
    return Table(
        np.empty(0, np.int64),
        np.empty((0, 3), np.int64),
        np.empty((0, 2)),
        np.empty((0, SUMS), np.int64),
        np.empty((0, SUMS, BINS), np.int64),
    )


def share_totals(whole: NDArray[np.int64], bins: ShareBins) -> NDArray[np.float64]:
    """Return the sum of shares of each polygon, given its whole cells, as ``count`` is made where every cell is known."""
    tops, sums = bins
    return _value(pair_of_bins(sums[:, None], tops[:, None], 0, whole))


def statistics_of(
    table: Table,
    stats: Sequence[str],
    totals: NDArray[np.float64],
    *,
    weighted: bool,
    whole: Sequence[str] = (),
) -> dict[str, NDArray[Any]]:
    """Return statistics of all polygons.

    Parameters
    ----------
    table
        Of the whole raster.
    stats
        Names of ``MOMENTS``.
    totals : float64 [polygon]
        Sum of shares that each polygon would have if all were known, on the grid or off it.
    weighted
        The table is of weighted cells, which are not counted; an unknown weight of a known cell makes its sums NaN.
    whole
        Which of count and sum are int64: every share is 1, every value an integer.
    """
    made: dict[str, NDArray[Any]] = {}
    weight = _bins(table, WEIGHTS) if weighted else _shares(table)
    known = _value(weight) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        for stat in stats:
            empty: float = 0.0 if stat in ("count", "sum", "valid_fraction") else np.nan
            row = np.full(totals.size, empty)
            if stat == "valid_fraction":
                row[totals == 0] = np.nan
            row[table.polygons] = _row(stat, table, weight, known, totals[table.polygons])
            if weighted and stat in ("sum", "mean", "std", "variance"):
                row[table.polygons[table.cells[:, 2] > 0]] = np.nan
            made[stat] = row
    return made | {stat: _as_whole(stat, made[stat], table) for stat in whole if stat in made}


def _row(
    stat: str, table: Table, weight: Pair, known: NDArray[np.bool_], totals: NDArray[np.float64]
) -> NDArray[np.float64]:
    if stat == "count":
        return _value(_shares(table))
    if stat == "valid_fraction":
        return _value(_shares(table)) / totals
    if stat in ("min", "max"):
        extreme = table.extremes[:, 0 if stat == "min" else 1]
        return np.where(table.extremes[:, 0] <= table.extremes[:, 1], extreme, np.nan)
    total = _bins(table, SUM)
    if stat == "sum":
        return _value(total)
    mean = _quotient(total, weight)
    if stat == "mean":
        return np.where(known, _value(mean), np.nan)
    around = _difference(_bins(table, SQUARES), _times(total, mean))
    # Of equal values nothing is left but rounding.
    equal = table.extremes[:, 0] == table.extremes[:, 1]
    apart = np.where(equal, 0.0, _value(around))
    variance = np.where(known, np.maximum(apart / weight[0], 0.0), np.nan)
    return variance if stat == "variance" else np.sqrt(variance)


def _as_whole(stat: str, row: NDArray[np.float64], table: Table) -> NDArray[np.int64]:
    """Return sums of whole numbers as int64, from their bins."""
    if np.abs(row).max(initial=0.0) >= 2.0**62:
        raise too_large()
    exact = np.zeros(row.size, np.int64)
    if stat == "count":
        exact[table.polygons] = table.cells[:, 1]
        return exact
    bits = BITS * (table.tops[:, SUM, None] - np.arange(BINS))
    parts = np.where(bits < 0, 0, table.sums[:, SUM] << np.clip(bits, 0, 62))
    exact[table.polygons] = parts.sum(axis=1)
    return exact


def _shares(table: Table) -> Pair:
    """Return the sum of shares of known cells: whole ones are counted, the others are in bins."""
    return pair_of_bins(table.sums, table.tops, WEIGHTS, table.cells[:, 1])


def _bins(table: Table, what: int) -> Pair:
    return pair_of_bins(table.sums, table.tops, what)


def pair_of_bins(
    sums: NDArray[np.int64],
    tops: NDArray[np.int64],
    what: int,
    whole: NDArray[np.int64] | None = None,
) -> Pair:
    """Return what is in the bins of a sum, and in whole numbers, as a float and what that is rounded by."""
    high, low = pairs_of_bins(
        as_readonly_contiguous(tops, np.int64),
        as_readonly_contiguous(sums, np.int64),
        what,
        as_readonly_contiguous([] if whole is None else whole, np.int64),
    )
    return high, low


def _value(number: Pair) -> NDArray[np.float64]:
    return number[0] + number[1]


def _two_sum(a: NDArray[np.float64], b: NDArray[np.float64]) -> Pair:
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _two_product(a: NDArray[np.float64], b: NDArray[np.float64]) -> Pair:
    product = a * b
    a_high = _SPLITTER * a - (_SPLITTER * a - a)
    b_high = _SPLITTER * b - (_SPLITTER * b - b)
    a_low, b_low = a - a_high, b - b_high
    rest = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, rest


def _times(a: Pair, b: Pair) -> Pair:
    high, low = _two_product(a[0], b[0])
    return _two_sum(high, low + (a[0] * b[1] + a[1] * b[0]))


def _difference(a: Pair, b: Pair) -> Pair:
    high, rest = _two_sum(a[0], -b[0])
    return _two_sum(high, rest + (a[1] - b[1]))


def _quotient(a: Pair, b: Pair) -> Pair:
    first = a[0] / b[0]
    rest = _difference(a, _times((first, np.zeros_like(first)), b))
    return _two_sum(first, _value(rest) / b[0])


def is_as_kernels_take_it(values: Any, unknown: Unknown, kinds: tuple[type, ...]) -> bool:
    """Tell whether a raster in memory needs no copy as floats of one of these kinds."""
    plain = isinstance(values, np.ndarray) and not np.ma.isMaskedArray(values)
    return plain and values.dtype in kinds and values.flags.c_contiguous and not unknown.numbers


def as_it_is(values: Any, unknown: Unknown) -> tuple[NDArray[Any], float] | None:
    """Return a block as sums of shares take it without a copy, and the number in it that is unknown, NaN for none; None if it must be made floats of."""
    block = np.asarray(values)
    hidden = unknown.stored_as(block.dtype)
    if block.dtype == np.bool_:
        block = block.view(np.uint8)
        if (
            block.max(initial=0) > 1
        ):  # bytes that somebody calls truth values, as of a mask of 0 and 255
            return None
    if np.ma.isMaskedArray(values) or len(hidden) > 1:
        return None
    if block.dtype not in (*_FLOATS, *_SHORT_INTEGERS):
        return None
    return block, float(hidden[0]) if hidden else np.nan


def floats_of(values: Any, unknown: Unknown) -> NDArray[Any]:
    """Return a block as float32 or float64 that hold its values exactly, with NaN for what is unknown.

    Raises
    ------
    InputError
        If an integer is beyond 2^53, or the values are neither real numbers nor integers.
    """
    hidden, block = unknown.where(values), np.asarray(values)
    kind, bytes_each = block.dtype.kind, block.dtype.itemsize
    if kind not in "biuf":
        raise no_numbers(block.dtype)
    if kind in "iu" and bytes_each == 8 and block.size:
        known = block if hidden is None else np.where(hidden, block.dtype.type(0), block)
        if known.max() > _WHOLE or known.min() < -_WHOLE:
            raise InputError(
                "integers beyond 2^53 have no exact shares",
                hint="Convert the values to float64 first, or take labels: cg.zonal_stats(values, cg.rasterize(...)).",
            )
    small = bytes_each <= (4 if kind == "f" else 2)
    floats = block.astype(np.float32 if small else np.float64, copy=hidden is not None)
    if hidden is not None:
        floats[hidden] = np.nan
    return floats
