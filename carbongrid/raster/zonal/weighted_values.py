"""Values of polygons with a raster of weights: sums of share times weight of each different value, put together from blocks in any order.

What a weight may be is not known before all are read, so that shares times weights cannot be counted in whole numbers as shares are. Their sums are kept in bins of bits, as
those of ``moments`` are, and become whole numbers in the end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.kernels.bins import BINS, BITS, LARGEST, LOWEST
from carbongrid.raster.kernels.cell_values import weighted_cells
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.moments import Edges, Spans
from carbongrid.raster.zonal.distributions import Values, scales_of
from carbongrid.raster.zonal.moments import moved_down, pair_of_bins


class WeightedValues(NamedTuple):
    """Different values of polygons, in order of polygons, then of values, and what share times weight of each adds up to, in bins.

    NaN, the last of a polygon, stands for a known cell whose weight is unknown.
    """

    polygons: NDArray[np.int64]
    values: NDArray[np.float64]
    tops: NDArray[np.int64]
    sums: NDArray[np.int64]


def no_weighted_values() -> WeightedValues:
    """Return the table of no polygon."""
    return WeightedValues(
        np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty((0, BINS), np.int64)
    )


def block_weighted_values(
    values: NDArray[Any],
    weights: NDArray[np.float64],
    corner: tuple[int, int],
    shares: tuple[Spans, Edges],
    polygons: NDArray[np.int64],
) -> WeightedValues:
    """Return the different values of some polygons in a block of floats, whose first cell is at ``corner`` of the grid.

    Raises
    ------
    InputError
        If a weight is infinite or beyond 2^450.
    """
    owners, found, measures = weighted_cells(
        as_readonly_contiguous(values, values.dtype),
        as_readonly_contiguous(weights, np.float64),
        corner,
        *shares,
        polygons,
    )
    unknown = np.isnan(measures)
    if (measures >= LARGEST).any():
        raise InputError(
            "a weight is infinite or beyond 2^450", hint="Mark what is unknown as NaN."
        )
    # Of zeros there is one, without a sign.
    found = np.where(unknown, np.nan, found + 0.0)
    measures = np.where(unknown, 0.0, measures)
    exponents = np.where(measures == 0, BITS * LOWEST, np.frexp(measures)[1])
    tops = np.maximum(exponents // BITS, LOWEST).astype(np.int64)
    return _together(owners, found, tops, measures)


def merged_weighted_values(parts: list[WeightedValues]) -> WeightedValues:
    """Put tables together; their order does not matter."""
    if len(parts) == 1:
        return parts[0]
    return _together(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _together(
    polygons: NDArray[np.int64],
    values: NDArray[np.float64],
    tops: NDArray[np.int64],
    amounts: NDArray[Any],
) -> WeightedValues:
    """Add up what has the same polygon and value: numbers, which are cut into bins, or bins."""
    if not polygons.size:
        return no_weighted_values()
    order = np.lexsort((values, polygons))
    polygons, values, tops, amounts = polygons[order], values[order], tops[order], amounts[order]
    both_unknown = np.isnan(values[1:]) & np.isnan(values[:-1])
    differs = (polygons[1:] != polygons[:-1]) | ((values[1:] != values[:-1]) & ~both_unknown)
    first = np.flatnonzero(np.concatenate([[True], differs]))
    highest = np.maximum.reduceat(tops, first)
    up = np.repeat(highest, np.diff(np.append(first, polygons.size)))
    bins = _cut(amounts, up) if amounts.ndim == 1 else moved_down(amounts, up - tops)
    return WeightedValues(polygons[first], values[first], highest, np.add.reduceat(bins, first))


def _cut(numbers: NDArray[np.float64], tops: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return multiples of 2^(30 bin) that numbers have of four bins, from the highest down; what is below is left out."""
    found = np.empty((numbers.size, BINS), np.int64)
    rest = numbers.copy()
    for k in range(BINS):
        unit = BITS * (tops - k)
        part = np.rint(np.ldexp(rest, -unit))
        found[:, k] = part
        rest -= np.ldexp(part, unit)
    return found


def as_values(table: WeightedValues, size: int) -> Values:
    """Return values with whole measures, of which a polygon has about 2^61, as ``distributions_of`` takes them; of so many polygons.

    Values without weight are left out, and so is a polygon that has a known cell whose weight is unknown: nothing is known of it.
    """
    high, low = pair_of_bins(table.sums[:, None], table.tops[:, None], 0)
    amounts = high + low
    lost = np.zeros(size, np.bool_)
    lost[table.polygons[np.isnan(table.values)]] = True
    totals = np.zeros(size)
    np.add.at(totals, table.polygons, amounts)
    measures = np.rint(amounts * scales_of(totals)[table.polygons]).astype(np.int64)
    kept = (measures > 0) & ~lost[table.polygons]
    return Values(table.polygons[kept], table.values[kept], measures[kept])
