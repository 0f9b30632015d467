"""How values are distributed in polygons: quantiles, classes and their shares (docs/decisions/0063).

Shares of a polygon are whole numbers here, of which it has about 2^61: their sums do not depend on the order of cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.cell_values import values_in_polygons
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.moments import Edges, Spans

DISTRIBUTIONS = {
    "median": "median",
    "majority": "value of the largest share",
    "minority": "value of the smallest share",
    "variety": "number of different values",
    "fractions": "share of each value",
}
"""Statistics that are made of all values, and what they are called; quantiles come as ``quantile_25``."""

_QUANTILE = "quantile_"
_BITS = 61


class Values(NamedTuple):
    """Different values of polygons, in order of polygons, then of values, and the measure of each."""

    polygons: NDArray[np.int64]
    values: NDArray[np.float64]
    measures: NDArray[np.int64]


def quantile_in(stat: str) -> float | None:
    """Return which quantile a name like ``quantile_25`` means, from 0 to 1; None if it means none."""
    if stat == "median":
        return 0.5
    try:
        share = float(stat.removeprefix(_QUANTILE)) / 100 if stat.startswith(_QUANTILE) else -1.0
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def is_distribution(stat: str) -> bool:
    """Tell whether a statistic is made of all values."""
    return stat in DISTRIBUTIONS or quantile_in(stat) is not None


def scales_of(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what shares of polygons are multiplied by, a power of two each, so that they add up to about 2^61."""
    exponents = np.frexp(np.maximum(totals, 2.0**-900))[1]
    return np.asarray(np.ldexp(1.0, _BITS - exponents), np.float64)


def block_values(
    values: NDArray[Any],
    corner: tuple[int, int],
    shares: tuple[Spans, Edges],
    polygons: NDArray[np.int64],
    scales: NDArray[np.float64],
    factors: NDArray[np.float64],
) -> Values:
    """Return the different values of some polygons in a block of floats."""
    return Values(
        *values_in_polygons(
            as_readonly_contiguous(values, values.dtype),
            corner,
            *shares,
            polygons,
            as_readonly_contiguous(scales, np.float64),
            as_readonly_contiguous(factors, np.float64),
        )
    )


def merged_values(parts: list[Values]) -> Values:
    """Put tables together; their order does not matter. Only values of polygons that are in several are sorted anew."""
    polygons, values, measures = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(parts) == 1 or not polygons.size:
        return Values(polygons, values, measures)
    occurs = np.concatenate([np.unique(part.polygons) for part in parts])
    several = np.bincount(occurs)[polygons] > 1
    again = _together(polygons[several], values[several], measures[several])
    alone = ~several
    columns = (
        np.concatenate([polygons[alone], again.polygons]),
        np.concatenate([values[alone], again.values]),
        np.concatenate([measures[alone], again.measures]),
    )
    order = np.argsort(columns[0], kind="stable")
    return Values(*(column[order] for column in columns))


def empty_values() -> Values:
    """Return the table of no polygon."""
    return Values(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))


def _together(
    polygons: NDArray[np.int64], values: NDArray[np.float64], measures: NDArray[np.int64]
) -> Values:
    if not polygons.size:
        return empty_values()
    order = np.lexsort((values, polygons))
    polygons, values = polygons[order], values[order]
    differs = (polygons[1:] != polygons[:-1]) | (values[1:] != values[:-1])
    first = np.flatnonzero(np.concatenate([[True], differs]))
    return Values(polygons[first], values[first], np.add.reduceat(measures[order], first))


def distributions_of(
    table: Values, stats: Sequence[str], size: int, classes: NDArray[Any] | None
) -> dict[str, NDArray[Any]]:
    """Return statistics of so many polygons; NaN where one has no known cell, but a variety of 0.

    Parameters
    ----------
    table
        Of the whole raster.
    stats
        Names that ``is_distribution`` knows.
    size
        Number of polygons.
    classes
        Values that ``fractions`` are wanted of; None: all that occur, which come back as ``class``.
    """
    made: dict[str, NDArray[Any]] = {}
    first = np.flatnonzero(np.diff(table.polygons, prepend=-1))
    owners = table.polygons[first]
    for stat in stats:
        if stat == "fractions":
            own = np.unique(table.values) if classes is None else classes
            made["class"] = own
            made[stat] = _fractions(table, first, size, own)
        elif stat == "variety":
            made[stat] = np.bincount(table.polygons, minlength=size).astype(np.int64)
        else:
            made[stat] = np.full(size, np.nan)
            if first.size:
                made[stat][owners] = _one(stat, table, first)
    return made


def _one(stat: str, table: Values, first: NDArray[np.int64]) -> NDArray[np.float64]:
    quantile = quantile_in(stat)
    if quantile is not None:
        return _quantiles(table, first, quantile)
    # Among equals exactextract takes the largest as majority and the smallest as minority.
    sizes = np.diff(np.append(first, table.values.size))
    most = stat == "majority"
    extreme = (np.maximum if most else np.minimum).reduceat(table.measures, first)
    mine = table.measures == np.repeat(extreme, sizes)
    other = np.where(mine, table.values, -np.inf if most else np.inf)
    return np.asarray((np.maximum if most else np.minimum).reduceat(other, first))


def _quantiles(table: Values, first: NDArray[np.int64], quantile: float) -> NDArray[np.float64]:
    """Interpolate between values as exactextract does, so that with equal measures it is the usual linear quantile.

    Value i of n different ones in order, with measure w[i] and the sum W[i] of those before it, stands at i w[i] + (n - 1) W[i]; quantile q at
    q (n - 1) times the sum of all.
    """
    ends = np.append(first[1:], table.values.size)
    sizes = ends - first
    place = np.arange(table.values.size) - np.repeat(first, sizes)
    totals = np.repeat(np.add.reduceat(table.measures, first), sizes)
    # Sums of all polygons wrap around; the difference of two of one polygon is right nevertheless.
    until = np.cumsum(table.measures)
    start = np.repeat(until[first] - table.measures[first], sizes)
    before = (until - table.measures - start) / totals
    measures = table.measures / totals
    steps = np.repeat(sizes - 1, sizes)
    position = place * measures + steps * before
    wanted = np.repeat(quantile * (sizes - 1), sizes)
    above = np.where(position > wanted, np.arange(position.size), position.size)
    right = np.minimum(np.minimum.reduceat(above, first), ends - 1)
    left = np.maximum(right - 1, first)
    gap = position[right] - position[left]
    apart = np.where(gap > 0, (wanted[left] - position[left]) / np.where(gap > 0, gap, 1.0), 0.0)
    share = np.clip(apart, 0.0, 1.0)
    low, high = table.values[left], table.values[right]
    with np.errstate(invalid="ignore"):
        between = low + share * (high - low)
    return np.asarray(np.where(share == 0, low, np.where(share == 1, high, between)), np.float64)


def _fractions(
    table: Values, first: NDArray[np.int64], size: int, classes: NDArray[Any]
) -> NDArray[np.float64]:
    found = np.zeros((size, classes.size))
    known = np.zeros(size, np.bool_)
    known[table.polygons] = True
    found[~known] = np.nan
    if not first.size or not classes.size:
        return found
    order = np.argsort(classes, kind="stable")
    ranked = np.asarray(classes, np.float64)[order]
    place = np.minimum(np.searchsorted(ranked, table.values), classes.size - 1)
    mine = ranked[place] == table.values
    totals = np.zeros(size)
    totals[table.polygons[first]] = np.add.reduceat(table.measures, first)
    rows = table.polygons[mine]
    found[rows, order[place[mine]]] = table.measures[mine] / totals[rows]
    return found


def quantile_name(stat: str) -> str:
    """Return what a quantile is called."""
    return f"{math.fsum([100 * (quantile_in(stat) or 0)]):g} % quantile"
